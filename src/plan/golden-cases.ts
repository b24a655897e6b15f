import type { HostFacts, PlanOptions } from '../host/facts'
import type { Mount, Process, Spec } from '../spec/types'
import type { ExecRequest } from './exec'
import type { ExecFlags } from './exec-process'
import { BASE, FACTS_USER, FACTS_V1, FACTS_V2, USER_NAMESPACE, withLinux, withProcess } from './fixtures'

export interface GoldenCase {
  readonly spec: Spec
  readonly options?: Partial<PlanOptions>
  readonly facts?: HostFacts
  readonly warnings?: readonly string[]
  /** The plan is that of one more process of the container. */
  readonly exec?: {
    readonly flags?: Partial<ExecFlags>
    readonly file?: Process
    readonly request?: Partial<ExecRequest>
  }
}

const withMounts = (...mounts: readonly Mount[]): Spec => ({ ...BASE, mounts })

const CGROUP_MOUNT: Mount = {
  destination: '/sys/fs/cgroup',
  type: 'cgroup',
  source: 'cgroup',
  options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
}

/** Much as `tsrunc spec` writes it. */
const USUAL: Spec = {
  ...BASE,
  process: {
    ...BASE.process,
    args: ['sh'],
    capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 512 }],
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  hostname: 'usual',
  domainname: 'example.org',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    CGROUP_MOUNT,
  ],
  linux: { ...BASE.linux, maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] },
}

const MAPPED = { containerID: 0, hostID: 5, size: 1 }
const SAME = {
  uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
}

const LONG = 'l'.repeat(256)

const MOUNTS: Readonly<Record<string, GoldenCase>> = {
  'mount-bind': {
    spec: withMounts(
      { destination: '/plain', source: '/srv/plain', options: ['bind'] },
      {
        destination: '/tree',
        source: '/srv/tree',
        type: 'ext4',
        options: ['rbind', 'rprivate', 'ro', 'nosuid', 'nodev'],
      },
      {
        destination: 'relative/../data/',
        source: 'data/../in-bundle',
        options: ['rbind', 'rslave', 'shared', 'noatime'],
      },
      {
        destination: '/cleared',
        source: '/srv/c',
        options: ['bind', 'ro', 'rw', 'noexec', 'exec', 'nodiratime', 'relatime'],
      },
      {
        destination: '/recursive',
        source: '/srv/r',
        options: ['rbind', 'rro', 'rnosuid', 'rrw', 'rnodev', 'rstrictatime'],
      },
      { destination: '/sync', source: '/srv/s', options: ['bind', 'sync', ''] },
    ),
    warnings: [
      'mount "/sync": sync, dirsync, mand, lazytime and iversion have no effect on a bind mount ' +
        '(config.json /mounts/5/options)',
    ],
  },
  'mount-file-systems': {
    spec: withMounts(
      {
        destination: '/tmp',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['defaults', 'size=1m,nr_inodes=5', 'mpol=bind:0,2'],
      },
      { destination: '/run', type: 'tmpfs', options: ['tmpcopyup', 'ro', 'mode=700', 'noswap'] },
      {
        destination: '/disk',
        type: 'ext4',
        source: '/dev/vdb',
        options: ['ro', 'sync', 'dirsync', 'lazytime', 'silent', 'async'],
      },
      {
        destination: '/merged',
        type: 'overlay',
        source: 'overlay',
        options: [`lowerdir=${LONG}`, 'index=off', 'nosymfollow'],
      },
      { destination: '/versioned', type: 'xfs', source: '/dev/vdc', options: ['iversion', 'rnoexec', 'strictatime'] },
      { destination: '/escaped', type: 'overlay', source: 'overlay', options: ['lowerdir=/a\\,b', 'runbindable'] },
    ),
  },
  'mount-remount': {
    spec: withMounts(
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/proc', options: ['remount', 'ro', 'nosuid', 'hidepid=2'] },
      { destination: '/proc', options: ['remount', 'rbind', 'noexec'] },
    ),
  },
  'mount-idmapped': {
    spec: withMounts(
      { destination: '/own', source: '/srv/a', options: ['rbind'], uidMappings: [MAPPED], gidMappings: [MAPPED] },
      { destination: '/word', source: '/srv/b', options: ['bind', 'idmap=uids=0-5-1;gids=0-5-1'] },
      { destination: '/tree', source: '/srv/c', options: ['rbind', 'ridmap=uids=0-7-1#9-70-2;gids=1-1-1', 'idmap'] },
    ),
  },
  'mount-idmapped-user-namespace': {
    spec: {
      ...USER_NAMESPACE,
      mounts: [
        { destination: '/its-own', source: '/srv/a', options: ['bind', 'idmap'] },
        { destination: '/same', source: '/srv/b', options: ['bind'], ...SAME },
        {
          destination: '/other',
          source: '/srv/c',
          options: ['rbind', 'ridmap'],
          uidMappings: [MAPPED],
          gidMappings: [MAPPED],
        },
        { destination: '/relative', source: '/srv/d', options: ['bind', 'idmap=uids=@0-1000-1;gids=@5-0-2#@9-9-1'] },
      ],
    },
  },
  'mount-idmapped-joined-user-namespace': {
    spec: {
      ...withLinux({
        namespaces: [{ type: 'mount' }, { type: 'user', path: '/proc/7/ns/user' }],
        uidMappings: SAME.uidMappings,
        gidMappings: SAME.gidMappings,
      }),
      mounts: [{ destination: '/a', source: '/srv/a', options: ['bind', 'ridmap'] }],
    },
  },
  'mount-links': {
    spec: withMounts(
      { destination: '/copied', source: '/srv/link', options: ['bind', 'copy-symlink'] },
      { destination: '/itself', source: '/srv/link', options: ['bind', 'src-nofollow', 'ro'] },
      { destination: '/covered', source: '/srv/file', options: ['bind', 'dest-nofollow', 'rsync'] },
    ),
    warnings: [
      'mount "/covered": sync, dirsync, mand, lazytime and iversion have no effect on a bind mount ' +
        '(config.json /mounts/2/options)',
    ],
  },
  'mount-dev-bind-readonly': { spec: withMounts({ destination: '/dev', source: '/dev', options: ['rbind', 'ro'] }) },
  'mount-cgroup-v1': { spec: withMounts(CGROUP_MOUNT), facts: FACTS_V1 },
  'mount-cgroup-v1-host-namespace': {
    spec: { ...withLinux({ namespaces: [{ type: 'mount' }] }), mounts: [CGROUP_MOUNT] },
    facts: FACTS_V1,
  },
  'mount-cgroup-v2': { spec: withMounts(CGROUP_MOUNT) },
  'mount-cgroup-v2-user-namespace': {
    spec: {
      ...USER_NAMESPACE,
      mounts: [CGROUP_MOUNT],
      linux: { ...USER_NAMESPACE.linux, namespaces: [{ type: 'user' }, { type: 'mount' }] },
    },
  },
}

const NAMESPACES: Readonly<Record<string, GoldenCase>> = {
  'namespaces-none': { spec: { ...BASE, linux: {} } },
  'namespaces-joined': {
    spec: withLinux({
      namespaces: [
        { type: 'pid', path: '/proc/7/ns/pid' },
        { type: 'network', path: '/run/netns/n' },
        { type: 'mount', path: '/proc/7/ns/mnt' },
        { type: 'ipc', path: '' },
        { type: 'uts', path: '/proc/self/ns/uts' },
        { type: 'user', path: '/proc/7/ns/user' },
        { type: 'cgroup', path: '/proc/7/ns/cgroup' },
        { type: 'time', path: '/proc/7/ns/time' },
      ],
    }),
    // The uts namespace is the caller's own: nothing to enter.
    facts: { ...FACTS_V2, namespaces: { ...FACTS_V2.namespaces, '/proc/self/ns/uts': '4:3', '/run/netns/n': '4:99' } },
  },
  'namespaces-time': {
    spec: withLinux({
      namespaces: [{ type: 'mount' }, { type: 'time' }],
      timeOffsets: { monotonic: { secs: -86400, nanosecs: 5 }, boottime: { secs: 9007199254740993n } },
    }),
  },
  'user-namespace': {
    spec: {
      ...USER_NAMESPACE,
      process: { ...BASE.process, rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n }] },
      mounts: [{ destination: '/etc/hosts', source: '/var/hosts', options: ['rbind', 'ro'] }],
      linux: {
        ...USER_NAMESPACE.linux,
        maskedPaths: ['/proc/kcore', '/proc/keys'],
        devices: [
          { type: 'c', path: '/dev/fuse', major: 10, minor: 229 },
          { type: 'p', path: '/dev/pipe' },
        ],
      },
    },
  },
  'user-namespace-nested': {
    spec: withLinux({ namespaces: [{ type: 'mount' }] }),
    facts: { ...FACTS_V2, inUserNamespace: true },
  },
  'rootless-one-id': {
    spec: {
      ...USER_NAMESPACE,
      mounts: [{ destination: '/data', source: '/srv', options: ['bind'] }],
      linux: {
        ...USER_NAMESPACE.linux,
        maskedPaths: ['/proc/kcore'],
        uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: 1001, size: 1 }],
      },
    },
    facts: FACTS_USER,
  },
  'rootless-helpers': { spec: USER_NAMESPACE, facts: FACTS_USER },
}

const RESCTRL = { mountPoint: '/sys/fs/resctrl' }

const ROOTFS: Readonly<Record<string, GoldenCase>> = {
  'rootfs-shared': { spec: withLinux({ rootfsPropagation: 'shared' }) },
  'rootfs-slave': { spec: withLinux({ rootfsPropagation: 'slave' }) },
  'rootfs-private': { spec: withLinux({ rootfsPropagation: 'private' }) },
  'rootfs-unbindable': { spec: withLinux({ rootfsPropagation: 'unbindable' }), options: { noPivot: true } },
  devices: {
    spec: withLinux({
      devices: [
        { type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o600, uid: 7, gid: 8 },
        { type: 'b', path: '/dev/disk/a', major: 254, minor: 0, fileMode: 0o100640 },
        { type: 'u', path: '/dev/tty1', major: 4, minor: 1 },
        { type: 'p', path: '/run/pipe', fileMode: 0o622 },
        { type: 'c', path: '/dev/ptmx', major: 5, minor: 2 },
      ],
    }),
  },
  'devices-foreign-dev': {
    spec: {
      ...withLinux({
        devices: [
          { type: 'c', path: '/dev/fuse', major: 10, minor: 229 },
          { type: 'c', path: '/srv/zero', major: 1, minor: 5 },
        ],
      }),
      mounts: [{ destination: '/dev', source: '/dev', options: ['bind'] }],
    },
  },
  'net-devices': {
    spec: withLinux({ netDevices: { eth1: {}, eth2: { name: 'lan0' }, eth3: { name: 'up%d' } } }),
  },
  'net-devices-joined': {
    spec: withLinux({
      namespaces: [{ type: 'mount' }, { type: 'network', path: '/run/netns/n' }],
      netDevices: { eth1: {} },
    }),
    facts: { ...FACTS_V2, namespaces: { ...FACTS_V2.namespaces, '/run/netns/n': '4:99' } },
  },
  'rdt-own-class': {
    spec: withLinux({
      intelRdt: {
        l3CacheSchema: 'L3:0=f\nMB:0=50',
        memBwSchema: 'MB:0=20',
        schemata: ['L2:0=3'],
        enableMonitoring: true,
      },
    }),
    facts: { ...FACTS_V2, resctrl: RESCTRL },
  },
  'rdt-own-class-alone': { spec: withLinux({ intelRdt: {} }), facts: { ...FACTS_V2, resctrl: RESCTRL } },
  'rdt-new-class': {
    spec: withLinux({ intelRdt: { closID: 'gold', l3CacheSchema: 'L3:0=f\nMB:0=50' } }),
    facts: { ...FACTS_V2, resctrl: RESCTRL },
  },
  'rdt-existing-class': {
    spec: withLinux({ intelRdt: { closID: 'gold', schemata: ['L3:0=f'], enableCMT: true } }),
    facts: { ...FACTS_V2, resctrl: { ...RESCTRL, schemata: 'L3:0=0f;1=ff\n' } },
  },
  'rdt-default-class': {
    spec: withLinux({ intelRdt: { closID: '/', enableMonitoring: true } }),
    facts: { ...FACTS_V2, resctrl: { ...RESCTRL, schemata: 'L3:0=ff\n' } },
  },
  sysctl: {
    spec: withLinux({
      sysctl: {
        'net.ipv4.ip_forward': '1',
        'net.ipv4.conf.eth0/100.forwarding': '1',
        'net/ipv4/conf/eth0.100/forwarding': '0',
        'kernel.shm_rmid_forced': '1',
        'fs.mqueue.msg_max': '100',
        'kernel/domainname': 'example.org',
      },
    }),
  },
}

const PROFILE = {
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' }],
}
const SOME = ['CAP_CHOWN', 'CAP_SYS_CHROOT']

const PROCESS: Readonly<Record<string, GoldenCase>> = {
  'no-process': { spec: { ociVersion: '1.0.0', root: BASE.root, linux: BASE.linux } },
  'process-user': {
    spec: withProcess({
      cwd: '/home/../srv',
      user: { uid: 1234, gid: 5678, umask: 0o27, additionalGids: [5, 6] },
      env: ['A=1', 'PATH=/a', 'A=2', 'HOME='],
      oomScoreAdj: -500,
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 },
        { type: 'RLIMIT_AS', soft: 9007199254740993n, hard: 18446744073709551615n },
      ],
    }),
  },
  'process-personality': { spec: withLinux({ personality: { domain: 'LINUX32' } }) },
  'process-scheduling': {
    spec: {
      ...withProcess({
        scheduler: {
          policy: 'SCHED_DEADLINE',
          flags: ['SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_RECLAIM'],
          runtime: 10000000,
          deadline: 30000000,
          period: 9223372036854775807n,
        },
        ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
        execCPUAffinity: { initial: '0', final: '1' },
      }),
      linux: {
        ...BASE.linux,
        memoryPolicy: { mode: 'MPOL_BIND', nodes: '7, 0-2', flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_NUMA_BALANCING'] },
      },
    },
  },
  'process-scheduling-user-namespace': {
    spec: {
      ...USER_NAMESPACE,
      process: {
        ...BASE.process,
        scheduler: { policy: 'SCHED_BATCH', nice: -5 },
        ioPriority: { class: 'IOPRIO_CLASS_IDLE' },
      },
    },
  },
  'capabilities-seccomp': {
    spec: {
      ...withProcess({
        capabilities: { bounding: SOME, effective: SOME, permitted: SOME, inheritable: SOME, ambient: ['CAP_CHOWN'] },
      }),
      hooks: { startContainer: [{ path: '/hook' }] },
      linux: { ...BASE.linux, seccomp: PROFILE },
    },
  },
  'capabilities-admin-seccomp': {
    spec: {
      ...withProcess({ capabilities: { effective: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'] } }),
      linux: { ...BASE.linux, seccomp: { ...PROFILE, flags: [] } },
    },
  },
  'no-new-privileges-seccomp': {
    spec: {
      ...withProcess({ noNewPrivileges: true, capabilities: { effective: SOME, permitted: SOME } }),
      linux: {
        ...BASE.linux,
        seccomp: { ...PROFILE, flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC'] },
      },
    },
  },
  'seccomp-notify': {
    spec: {
      ...withProcess({ capabilities: { effective: SOME, permitted: SOME } }),
      hooks: { startContainer: [{ path: '/hook' }] },
      annotations: { 'com.example.key': 'value' },
      linux: {
        ...BASE.linux,
        seccomp: {
          ...PROFILE,
          flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
          listenerPath: '/run/agent.sock',
          listenerMetadata: 'for the agent',
          syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }],
        },
      },
    },
  },
  'seccomp-program': {
    spec: {
      ...withProcess({ noNewPrivileges: true }),
      annotations: { 'run.oci.seccomp_bpf_data': 'BgAAAAAA/38=', 'run.oci.seccomp.receiver': '/nobody' },
    },
  },
  'terminal-socket': {
    spec: withProcess({ terminal: true, consoleSize: { height: 24, width: 80 }, user: { uid: 5, gid: 5 } }),
    options: { consoleSocket: '/run/console.sock', pidfdSocket: '/run/pidfd.sock', pidFile: '/run/c1.pid' },
  },
  'terminal-foreground': { spec: withProcess({ terminal: true }), options: { detach: false, noNewKeyring: true } },
  'notify-socket': {
    spec: { ...BASE, mounts: [{ destination: '/run', type: 'tmpfs', source: 'tmpfs' }] },
    options: { environment: { NOTIFY_SOCKET: '/run/systemd/notify' } },
  },
  descriptors: {
    spec: BASE,
    options: {
      preserveFds: 1,
      caller: { fds: [0, 1, 2, 3, 4, 5, 9], pid: 4711 },
      environment: { LISTEN_FDS: '2', LISTEN_PID: '4711', LISTEN_FDNAMES: 'a:b' },
    },
  },
  hooks: {
    spec: {
      ...BASE,
      hooks: {
        prestart: [{ path: '/h/prestart', args: ['prestart', 'x'], env: ['A=b'], timeout: 5 }, { path: '/h/second' }],
        createRuntime: [{ path: '/h/createRuntime' }],
        createContainer: [{ path: '/h/createContainer' }],
        startContainer: [{ path: '/h/startContainer' }, { path: '/h/own-env', env: ['X=y'] }],
        poststart: [{ path: '/h/poststart' }],
        poststop: [{ path: '/h/poststop' }],
      },
    },
  },
  'annotations-that-act': {
    spec: {
      ...withProcess({ user: { uid: 1, gid: 1, additionalGids: [5] } }),
      hooks: {
        createRuntime: [{ path: '/h/a' }],
        createContainer: [{ path: '/h/b' }],
        startContainer: [{ path: '/h/c' }],
        poststop: [{ path: '/h/d' }],
      },
      annotations: {
        'run.oci.hooks.stdout': '/var/log/hooks',
        'run.oci.hooks.stderr': '/var/log/hooks',
        'run.oci.keep_original_groups': '1',
        'run.oci.pidfd_receiver': '/run/receiver',
        'run.oci.handler': 'krun',
      },
    },
    warnings: [
      'tsrunc does not act on the annotation run.oci.handler (config.json /annotations/run.oci.handler)',
      'additional groups are not set: the annotation run.oci.keep_original_groups keeps those of the caller ' +
        '(config.json /process/user/additionalGids)',
    ],
  },
  annotations: { spec: { ...BASE, annotations: { 'a/b': 'ä"', 'org.opencontainers.image.stopSignal': 'SIGRTMIN+3' } } },
}

const LS = { args: ['ls', '-l'] }

const EXEC: Readonly<Record<string, GoldenCase>> = {
  'exec-usual-v1': { spec: USUAL, facts: FACTS_V1, exec: { flags: LS } },
  'exec-usual-v2': { spec: USUAL, exec: { flags: LS } },
  'exec-user-namespace': { spec: USER_NAMESPACE, exec: { flags: { ...LS, user: '1000:1000' } } },
  'exec-in-the-namespaces-of-the-host': { spec: { ...BASE, linux: { namespaces: [] } }, exec: { flags: LS } },
  'exec-flags': {
    spec: USUAL,
    options: {
      detach: true,
      consoleSocket: '/console',
      pidfdSocket: '/pidfd',
      pidFile: '/pid',
      preserveFds: 1,
      caller: { fds: [0, 1, 2, 3], pid: 4711 },
    },
    exec: {
      flags: {
        ...LS,
        cwd: '/tmp',
        env: ['A=b'],
        user: '5',
        additionalGids: ['6'],
        tty: true,
        noNewPrivs: true,
        caps: ['CAP_CHOWN'],
      },
      request: { cgroups: ['sub'], ignorePaused: true },
    },
  },
  'exec-process-file': {
    spec: withProcess({ execCPUAffinity: { initial: '0-1', final: '2' }, oomScoreAdj: 10 }),
    exec: {
      file: {
        cwd: '/',
        args: ['/bin/x'],
        user: { uid: 0, gid: 0 },
        rlimits: [{ type: 'RLIMIT_CORE', hard: 0, soft: 0 }],
      },
    },
  },
  'exec-seccomp': { spec: withLinux({ seccomp: PROFILE }), exec: { flags: LS } },
  'exec-seccomp-listener': {
    spec: withLinux({
      seccomp: {
        ...PROFILE,
        listenerPath: '/listener',
        syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
      },
    }),
    exec: { flags: LS },
  },
}

/** The expected plans in golden/, by name. */
export const GOLDEN_CASES: Readonly<Record<string, GoldenCase>> = {
  'usual-v1': { spec: USUAL, facts: FACTS_V1 },
  'usual-v2': { spec: USUAL },
  ...MOUNTS,
  ...NAMESPACES,
  ...ROOTFS,
  ...PROCESS,
  ...EXEC,
}
