/** Words for the places of config.json of which the schema says no more than that a string stands there. */
import fc from 'fast-check'
import { CAPABILITIES } from '../tables/capabilities'
import { MOUNT_OPTIONS } from '../tables/mount-options'
import { RLIMITS } from '../tables/rlimits'

type Some = fc.Arbitrary<unknown>

const from = (...words: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...words)
const list = (words: fc.Arbitrary<string>, most = 4): Some => fc.array(words, { maxLength: most })
const CAPS = list(from('CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN', ...Object.keys(CAPABILITIES)))
const ARGS = fc.array(from('/bin/true', 'sh', '-c', '', 'é'), { minLength: 1, maxLength: 3 })
const ENV = list(from('PATH=/bin', 'A=1', 'A=2', 'HOME=', 'HOME=/root', 'B', '=x', 'TERM=xterm'))

const NAMESPACE = fc
  .tuple(fc.subarray(['network', 'ipc', 'uts', 'cgroup', 'pid', 'user', 'time']), fc.boolean())
  .map(([types, paths]) => [
    { type: 'mount' },
    ...types.map((type) => (paths && type === 'network' ? { type, path: '/proc/7/ns/net' } : { type })),
  ])

const MOUNT = fc.oneof(
  fc.constantFrom<unknown>(
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
    { destination: '/data', type: 'bind', source: '/srv', options: ['rbind', 'rro'] },
  ),
  fc.record(
    {
      destination: from('/', '/a', '/a/b', '/dev', '/dev/pts', '/proc', '/sys', 'a', '/../x', '/sys/fs/cgroup'),
      type: from('proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'bind', 'none', 'cgroup', 'cgroup2', 'ext4', ''),
      source: from('/srv', 'srv', 'tmpfs', '', '/a b', '/é'),
      options: list(
        from(...Object.keys(MOUNT_OPTIONS), 'size=1m', 'mode=0755', 'a=b', '', 'idmap=uids=0-1-2;gids=0-1-2'),
      ),
      uidMappings: fc.constant([{ containerID: 0, hostID: 1000, size: 10 }]),
      gidMappings: fc.constant([{ containerID: 0, hostID: 1000, size: 10 }]),
    },
    { requiredKeys: ['destination', 'type', 'source'] },
  ),
)

/** By schema and property; `.*` is an entry. A hint stands for right values. */
export const HINTS: Readonly<Record<string, Some>> = {
  'config.ociVersion': from('1.0.0', '1.0.2', '1.1.0', '1.2.1', '1.3.0'),
  'root.path': from('rootfs', '/srv/rootfs', '../a'),
  'config.mounts.*': MOUNT,
  'config.hostname': from('a', 'web-1', 'x'.repeat(64)),
  'config.domainname': from('a', '(none)', 'example.org'),
  'process.cwd': from('/', '/srv', '/a/../b'),
  'process.env': ENV,
  'process.args': ARGS,
  'process.apparmorProfile': from('', 'unconfined'),
  'process.selinuxLabel': from(''),
  'rlimit.type': from(...Object.keys(RLIMITS)),
  'capabilities.effective': CAPS,
  'capabilities.bounding': CAPS,
  'capabilities.inheritable': CAPS,
  'capabilities.permitted': CAPS,
  'capabilities.ambient': CAPS,
  'hook.args': ARGS,
  'hook.env': ENV,
  'linux.namespaces': NAMESPACE,
  'linux.cgroupsPath': from('/a', '/a/b', 'a', '', '/../x', 'system.slice:tsrunc:a'),
  'linux.mountLabel': from(''),
  'config.annotations.*': fc.oneof(from('1', '0', 'true', '', 'TERM', '/run/x', 'x'), fc.string()),
  'linux.sysctl.*': from('0', '1', '', '1 2 3', 'x y'),
  'personality.flags': fc.constant([]),
  'seccompSyscall.names': fc.array(from('read', 'write', 'clone', 'clone3', 'personality', 'no_such_call'), {
    minLength: 1,
    maxLength: 3,
  }),
  'seccomp.listenerPath': from('/run/agent.sock'),
  'resources.unified.*': from('1', 'max', '100000 100000', '8:0 rbps=1\n8:16 rbps=2', '1G', ''),
  'intelRdt.closID': from('a', 'guaranteed', '/', '..'),
  'intelRdt.l3CacheSchema': from('L3:0=f;1=f', 'L3:0=xyz', 'MB:0=10'),
  'intelRdt.memBwSchema': from('MB:0=20;1=70', 'MB:0='),
  'netDevice.name': from('eth0', 'a', '', 'x'.repeat(20)),
}

/** Names of the entries of maps. */
export const KEYS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'config.annotations': fc.oneof(
    from(
      'org.opencontainers.image.stopSignal',
      'run.oci.hooks.stdout',
      'run.oci.keep_original_groups',
      'run.oci.systemd.subgroup',
      'run.oci.delegate-cgroup',
      'org.systemd.property.CPUWeight',
      '__proto__',
      'constructor',
      'a/b~c',
    ),
    fc.string({ minLength: 1, maxLength: 12 }),
  ),
  'linux.sysctl': from(
    'net.ipv4.ip_forward',
    'net/core/somaxconn',
    'kernel.msgmax',
    'kernel.hostname',
    'vm.swappiness',
    'net..x',
  ),
  'linux.netDevices': from('eth0', 'eth1', '__proto__', 'lo'),
  'resources.unified': from('memory.high', 'cpu.weight', 'io.max', 'pids.max', '../x', 'cgroup.procs', 'nonsense'),
  'resources.rdma': from('mlx5_0', 'a b', '__proto__'),
}
