// No goal of speed may be met by doing less: what a process sees of its container is what it sees of runc's.
import { spawnSync } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  cgroupVersion,
  deepEqual,
  denies,
  equal,
  requiresThat,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

/** Sections of "## NAME" and what the container says. /bin/sh of busybox has all that is called. */
const LOOK = `
section() { echo "## $1"; }
section mounts; cat /proc/self/mountinfo
section status; cat /proc/self/status
section limits; cat /proc/self/limits
section environment; env
section cgroups; cat /proc/self/cgroup
section descriptors; ls /proc/1/fd
section directory; pwd
section umask; umask
section user; id
section devices; ls -ln /dev /dev/pts
section namespaces; ls -ln /proc/self/ns
section settings
for file in oom_score_adj personality attr/current coredump_filter timerslack_ns uid_map gid_map setgroups sessionid; do
  echo "$file: $(cat /proc/self/$file 2>&1)"
done
for file in kernel/hostname kernel/domainname net/ipv4/ip_unprivileged_port_start; do
  echo "$file: $(cat /proc/sys/$file 2>&1)"
done
section session; cut -d ' ' -f 5-8 < /proc/1/stat
section network; cat /proc/net/dev | cut -d : -f 1; ip link 2>/dev/null
section masked
for path in /proc/kcore /proc/keys /proc/timer_list /proc/acpi /proc/scsi /sys/firmware /proc/latency_stats; do
  echo "$path: $(ls -ldn $path 2>&1 | cut -c 1) $(ls $path 2>&1 | wc -l) $( (head -c 1 $path) 2>&1 | wc -c)"
done
section denied
for path in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/x /proc/bus/x /sys/x /sys/fs/cgroup/x /dev/x /x; do
  echo "$path: $( (echo x > $path) 2>&1 )"
done
`

/** What two containers of the same bundle cannot have in common: numbers that the kernel gives one after the other. */
const normalized: Readonly<Record<string, (line: string) => string | undefined>> = {
  mounts: (line) => {
    const [, , , root, point, options, ...rest] = line.split(' ')
    const separator = rest.indexOf('-')
    const [type] = rest.slice(separator + 1)
    // Which /dev/null it is, and how small the empty directory, is not for the program to see.
    if (root === '/null') return `${point} is /dev/null`
    if (type === 'tmpfs' && options?.startsWith('ro')) return `${point} is an empty directory`
    const propagation = rest.slice(0, separator).map((field) => field.replace(/\d+/, 'N'))
    return [point, root, options, ...propagation, ...rest.slice(separator)].join(' ')
  },
  status: (line) =>
    /^(Uid|Gid|Groups|Umask|Cap\w+|NoNewPrivs|Seccomp\w*|Sig(Blk|Ign|Cgt)|Shd\w+|Cpus_allowed|Mems_allowed|NSpid|TracerPid|THP_\w+|Speculation\w*):/.test(
      line,
    ) &&
    !/^NSpid/.test(line) &&
    // A filter around ours alone.
    !(denies() && line.startsWith('Seccomp'))
      ? line
      : undefined,
  // A hybrid host's hierarchy without controllers, which limits nothing: runc makes a cgroup there too.
  cgroups: (line) => (line.startsWith('0::') && cgroupVersion() === 1 ? undefined : line),
  // Of its own: when it was made, and the number of a terminal.
  devices: (line) => line.replace(/[A-Z][a-z]{2} +\d+ +[\d:]+ /, ''),
  // That both have one of their own is compared below.
  namespaces: (line) => /(\w+) -> /.exec(line)?.[1],
}

type Sections = ReadonlyMap<string, readonly string[]>

const sections = (text: string): Sections =>
  new Map(
    text
      .split(/^## /m)
      .slice(1)
      .map((part) => {
        const [name = '', ...lines] = part.trimEnd().split('\n')
        const change = normalized[name] ?? ((line: string) => line)
        const shown = lines.map(change).filter((line) => line !== undefined)
        return [name, name === 'mounts' ? shown.toSorted() : shown]
      }),
  )

/** The types of the namespaces that are not the host's. */
const ownNamespaces = (text: string): readonly string[] =>
  [...text.matchAll(/(\w+) -> (\w+:\[\d+\])/g)].flatMap(([, name = '', link]) =>
    readlinkSync(`/proc/self/ns/${name}`) === link ? [] : [name],
  )

const runc = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => join(folder, 'runc'))
  .find((path) => existsSync(path))

const runByRunc = (b: Bundle): string => {
  const argv = ['--root', scratch('runc'), 'run', '--bundle', b.path, `${b.id}-runc`]
  const { stdout, stderr, status } = spawnSync(runc ?? '', argv, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  })
  equal(status, 0, stderr)
  return stdout
}

const compare = async (b: Bundle): Promise<void> => {
  requiresThat(runc !== undefined, 'runc beside the runtime that is tested')
  addBusybox(b.rootfs)
  b.file('look', LOOK, 0o755)
  b.config.process.args = ['/bin/busybox', 'sh', '/look']
  b.save()
  const theirs = runByRunc(b)
  const ours = (await b.run()).stdout
  const [seen, expected] = [sections(ours), sections(theirs)]
  equal(expected.size, 16)
  deepEqual(Object.fromEntries(seen), Object.fromEntries(expected))
  deepEqual(ownNamespaces(ours), ownNamespaces(theirs))
}

const PEERS: TestOptions = { peers: { crun: 'has /dev/core, and superblocks and owners of its own' } }

const MASKED = [
  '/proc/kcore',
  '/proc/keys',
  '/proc/timer_list',
  '/proc/acpi',
  '/proc/scsi',
  '/sys/firmware',
  '/proc/latency_stats',
]
const READONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

test('what is seen inside of a container is what runc shows: a small configuration', PEERS, async () => {
  await compare(await bundle())
})

test('what is seen inside of a container is what runc shows: root with what an engine asks for', PEERS, async () => {
  const b = await bundle((c) => {
    const capabilities = ['CAP_CHOWN', 'CAP_SETUID', 'CAP_NET_BIND_SERVICE', 'CAP_KILL']
    c.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities }
    c.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 512, hard: 1024 }]
    c.process.oomScoreAdj = 300
    c.process.env.push('A=b c')
    c.linux.maskedPaths = MASKED
    c.linux.readonlyPaths = READONLY
    c.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '0' }
    c.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['swapon'], action: 'SCMP_ACT_ERRNO' }],
    }
    c.hostname = 'inside'
  })
  await compare(b)
})

test(
  'what is seen inside of a container is what runc shows: a user, a read-only root and no new privileges',
  PEERS,
  async () => {
    const b = await bundle((c) => {
      c.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 1002], umask: 0o27 }
      c.process.noNewPrivileges = true
      c.process.capabilities = { bounding: ['CAP_KILL'], ambient: [], effective: [], permitted: [] }
      c.root.readonly = true
      c.linux.maskedPaths = MASKED
      c.linux.readonlyPaths = READONLY
    })
    await compare(b)
  },
)
