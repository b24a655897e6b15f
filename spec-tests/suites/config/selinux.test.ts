// config.md#linux-process, selinuxLabel.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  deepEqual,
  equal,
  requires,
  requiresThat,
  selinuxEnabled,
  test,
} from '../../lib'

const LABEL = 'system_u:system_r:container_t:s0:c12,c345'
const CURRENT = ['read', '/proc/self/attr/current'] as const

const withLabel = (label: string, noNewPrivileges = false): Promise<Bundle> =>
  bundle((c) => {
    c.root.readonly = false
    c.process.selinuxLabel = label
    c.process.noNewPrivileges = noNewPrivileges
  })

/** A label as a procfs gives it: the kernel adds a NUL. */
const plain = (text: string): string => text.replace(/[\0\n ]+$/, '')

for (const noNewPrivileges of [false, true]) {
  test(`config.md#linux-process [PRC-14a]: selinuxLabel is the label of the process, noNewPrivileges ${noNewPrivileges}`, async () => {
    requires('root', 'selinux')
    const [current, next] = await (await withLabel(LABEL, noNewPrivileges)).probe(CURRENT, [
      'read',
      '/proc/self/attr/exec',
    ])
    deepEqual([plain(current.data), plain(next.data)], [LABEL, ''])
  })
}

test('config.md#linux-process [PRC-14a]: without selinuxLabel and with an empty one the process has the label of the runtime', async () => {
  requires('root', 'selinux')
  const [empty] = await (await withLabel('')).probe(CURRENT)
  const [absent] = await (await bundle((c) => delete c.process.selinuxLabel)).probe(CURRENT)
  deepEqual([/:s0/.test(empty.data), plain(empty.data)], [true, plain(absent.data)])
})

test('config.md#linux-process [PRC-14a]: the session keyring has the label too, and keys made later are the policy’s', async () => {
  requires('root', 'selinux')
  const [keys, keycreate] = await (await withLabel(LABEL)).probe(['keyring'], ['read', '/proc/self/attr/keycreate'])
  equal(keys.error, '')
  equal(plain(keycreate.data), '')
})

test('config.md#linux-process [PRC-14a]: selinuxLabel is that of startContainer hooks, not of those of the runtime', {
  peers: { crun: 'start does not wait for startContainer' },
  sometimes: true,
}, async () => {
  requires('root', 'selinux', 'busybox')
  const b = await withLabel(LABEL)
  addBusybox(b.rootfs)
  const outside = join(b.path, 'outside')
  writeFileSync(outside, '')
  b.config.hooks = {
    createContainer: [{ path: '/bin/sh', args: ['sh', '-c', `cat /proc/self/attr/current > ${outside}`] }],
    startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'cat /proc/self/attr/current > /label'] }],
  }
  const commands = [['read', '/label'], CURRENT] as const
  b.command(...commands)
  await b.create()
  await b.start()
  await b.reaches('stopped')
  deepEqual(
    b.answers(b.output(), commands).map(({ data }) => plain(data)),
    [LABEL, LABEL],
  )
})

test('config.md#linux-process [PRC-14b]: a label that the policy does not know is an error of create', async () => {
  requires('root', 'selinux')
  const b = await withLabel('system_u:system_r:no_such_t:s0')
  await b.refused(/no_such_t.*the policy.*EINVAL.*\/process\/selinuxLabel/s)
})

for (const label of ['container_t', 'a:b', 'system_u:system_r:container_t:s0 ', 'a:b:c"']) {
  test(`config.md#linux-process [PRC-14b]: ${JSON.stringify(label)} is no label`, async () => {
    requires('root')
    await (await withLabel(label)).refused(/\/process\/selinuxLabel/)
  })
}

test('config.md#linux-process [PRC-14b]: a label is an error where SELinux is not enabled', async () => {
  requires('root')
  requiresThat(!selinuxEnabled(), 'a kernel without SELinux')
  await (await withLabel(LABEL)).refused(/SELinux is not enabled.*\/process\/selinuxLabel/s)
})
