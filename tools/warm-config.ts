import { defaultSpec } from '../src/container/default-spec'
import type { Spec } from '../src/spec/types'

/** A configuration that uses most of what engines ask for, so that a run of it compiles the code that theirs need. */
export function warmConfig(): Spec {
  const base = defaultSpec({ rootless: false, uid: 0, gid: 0, unifiedCgroups: true })
  const capabilities = ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_SETUID']
  return {
    ...base,
    process: {
      cwd: '/',
      args: ['true'],
      env: ['PATH=/usr/bin:/bin', 'HOME=/root'],
      user: { uid: 0, gid: 0, umask: 18, additionalGids: [0, 10] },
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
      oomScoreAdj: 0,
    },
    mounts: [
      ...(base.mounts ?? []),
      { destination: '/etc/hosts', type: 'bind', source: '/etc/hosts', options: ['rbind', 'rprivate', 'ro'] },
    ],
    annotations: { 'org.opencontainers.image.stopSignal': 'SIGTERM' },
    linux: {
      ...base.linux,
      cgroupsPath: '/tsrunc/warm',
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
      resources: {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
        ],
        memory: { limit: 67108864, swap: 67108864 },
        cpu: { shares: 512, quota: 50000, period: 100000 },
        pids: { limit: 100 },
      },
      rootfsPropagation: 'private',
      seccomp: {
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 1,
        architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
        syscalls: [
          { names: ['read', 'write', 'execve', 'exit_group'], action: 'SCMP_ACT_ALLOW' },
          { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0, op: 'SCMP_CMP_EQ' }] },
          { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
        ],
      },
    },
  }
}
