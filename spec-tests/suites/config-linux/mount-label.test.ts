// config-linux.md#mount-label.
import {
  type Bundle,
  bundle,
  deepEqual,
  equal,
  type Mount,
  match,
  mountAt,
  ok,
  requires,
  requiresThat,
  selinuxEnabled,
  test,
} from '../../lib'

const LABEL = 'system_u:object_r:container_file_t:s0:c12,c345'
const OTHER = 'system_u:object_r:tmpfs_t:s0'
const ATTRIBUTE = 'security.selinux'

const labelled = (label: string, ...mounts: readonly Mount[]): Promise<Bundle> =>
  bundle((c, b) => {
    c.root.readonly = false
    c.linux.mountLabel = label
    c.mounts.push(...mounts)
    b.file('masked/file', '')
    b.file('masked-file', 'x')
    c.linux.maskedPaths = ['/masked', '/masked-file']
  })

const label = (mountinfo: string, path: string): string =>
  /(?:^|,)context="?([^"]*)/.exec(mountAt(mountinfo, path).superOptions.join(','))?.[1] ?? ''

test('config-linux.md#mount-label [LNX-4a]: the container’s new file systems have the label', async () => {
  requires('root', 'selinux')
  const b = await labelled(LABEL, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] })
  const [{ mountinfo }, , file, device, terminal] = await b.probe(
    ['mounts'],
    ['mkdir', '/tmp/made'],
    ['xattr', '/tmp/made', ATTRIBUTE],
    ['xattr', '/dev/null', ATTRIBUTE],
    ['xattr', '/dev/pts', ATTRIBUTE],
  )
  for (const path of ['/tmp', '/dev', '/dev/shm', '/dev/pts']) {
    equal(label(mountinfo, path), LABEL, path)
  }
  deepEqual([file.value, device.value, terminal.value], [LABEL, LABEL, LABEL])
})

test('config-linux.md#mount-label [LNX-4a]: a masked directory has the label', {
  peers: { crun: 'its mask is a bind mount of another directory' },
}, async () => {
  requires('root', 'selinux')
  const [{ mountinfo }, mask] = await (await labelled(LABEL)).probe(['mounts'], ['xattr', '/masked', ATTRIBUTE])
  deepEqual([label(mountinfo, '/masked'), mask.value], [LABEL, LABEL])
})

test('config-linux.md#mount-label [LNX-4a]: the mqueue, which takes no label as an option, has it as an attribute', async () => {
  requires('root', 'selinux')
  const [queue, { mountinfo }] = await (await labelled(LABEL)).probe(['xattr', '/dev/mqueue', ATTRIBUTE], ['mounts'])
  deepEqual([queue.value, label(mountinfo, '/dev/mqueue')], [LABEL, ''])
})

test('config-linux.md#mount-label [LNX-4a]: proc, sysfs, cgroups and bind mounts keep their labels', async () => {
  requires('root', 'selinux')
  const b = await labelled(LABEL)
  b.directory('volume')
  b.directory('bound')
  b.config.mounts.push(
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
    { destination: '/bound', type: 'bind', source: b.directory('volume'), options: ['rbind'] },
  )
  const paths = ['/proc', '/sys', '/sys/fs/cgroup', '/bound'] as const
  const [{ mountinfo }, ...labels] = await b.probe(
    ['mounts'],
    ['xattr', paths[0], ATTRIBUTE],
    ['xattr', paths[1], ATTRIBUTE],
    ['xattr', paths[2], ATTRIBUTE],
    ['xattr', paths[3], ATTRIBUTE],
  )
  deepEqual(
    paths.map((path) => label(mountinfo, path)),
    ['', '', '', ''],
  )
  ok(labels.every(({ value }) => value !== LABEL))
})

test('config-linux.md#mount-label [LNX-4a]: a mount with a label of its own keeps it', {
  peers: { runc: 'gives both to the kernel, which refuses', crun: 'gives both to the kernel, which refuses' },
}, async () => {
  requires('root', 'selinux')
  const own = { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: [`context="${OTHER}:c1,c2",size=1m`] }
  const [{ mountinfo }] = await (await labelled(LABEL, own)).probe(['mounts'])
  deepEqual([label(mountinfo, '/tmp'), label(mountinfo, '/dev/shm')], [`${OTHER}:c1,c2`, LABEL])
})

test('run.oci.mount_context_type chooses which of the kernel’s options it is', {
  peers: { runc: 'is crun’s annotation' },
}, async () => {
  requires('root', 'selinux')
  const b = await labelled(LABEL, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' })
  b.config.annotations = { 'run.oci.mount_context_type': 'rootcontext' }
  const [{ mountinfo }, root] = await b.probe(['mounts'], ['xattr', '/tmp', ATTRIBUTE])
  match(mountAt(mountinfo, '/tmp').superOptions.join(','), /rootcontext="?system_u:object_r:container_file_t/)
  equal(root.value, LABEL)
})

test('config-linux.md#mount-label [LNX-4a]: the label holds in a user namespace', async () => {
  requires('root', 'selinux', 'userns')
  const b = await labelled(LABEL)
  b.config.linux.namespaces.push({ type: 'user' })
  b.config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
  b.config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
  const [{ mountinfo }] = await b.probe(['mounts'])
  equal(label(mountinfo, '/dev/shm'), LABEL)
})

test('config-linux.md#mount-label [LNX-4a]: without it and with an empty one no mount is labelled', async () => {
  requires('root', 'selinux')
  const [{ mountinfo }] = await (await labelled('')).probe(['mounts'])
  equal(label(mountinfo, '/dev/shm'), '')
})

test('config-linux.md#mount-label [LNX-4b]: a label that the policy does not know is an error', async () => {
  requires('root', 'selinux')
  const b = await labelled('system_u:object_r:no_such_t:s0')
  await b.refused(/the SELinux policy.*no_such_t.*EINVAL.*\/linux\/mountLabel/s)
})

test('config-linux.md#mount-label [LNX-4b]: a file system of which there is one instance cannot have it, which is an error', async () => {
  requires('root', 'selinux')
  const b = await labelled(LABEL, { destination: '/tmp', type: 'securityfs', source: 'securityfs' })
  await b.refused(/mount "\/tmp".*linux\.mountLabel.*one instance.*\/mounts\/\d/s)
})

test('config-linux.md#mount-label [LNX-4b]: a text that would be another option of the mounts is refused', {
  peers: { crun: 'leaves the label out where SELinux is not enabled' },
  sometimes: true,
}, async () => {
  requires('root')
  await (await labelled('a:b:c:s0",size=1k,x="')).refused(/\/linux\/mountLabel/)
})

test('config-linux.md#mount-label [LNX-4b]: a label is an error where SELinux is not enabled', {
  peers: { crun: 'leaves the label out' },
}, async () => {
  requires('root')
  requiresThat(!selinuxEnabled(), 'a kernel without SELinux')
  await (await labelled(LABEL)).refused(/SELinux is not enabled.*\/linux\/mountLabel/s)
})
