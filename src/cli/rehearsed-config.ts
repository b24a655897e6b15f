import { defaultSpec } from '../container/default-spec'

/** A config.json that looks like those of engines, with limits, a profile and a sysctl, for a planner to rehearse. */
export function rehearsedConfig(): Uint8Array {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0]
  const spec = defaultSpec({ rootless: uid !== 0, uid, gid, unifiedCgroups: false })
  return Buffer.from(
    JSON.stringify({
      ...spec,
      hostname: 'rehearsed',
      process: { ...spec.process, terminal: false },
      annotations: { rehearsed: 'true' },
      linux: {
        ...spec.linux,
        cgroupsPath: '/rehearsed',
        sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
        resources: {
          ...spec.linux?.resources,
          memory: { limit: 1 << 28 },
          cpu: { shares: 1024 },
          pids: { limit: 100 },
        },
        seccomp: {
          defaultAction: 'SCMP_ACT_ERRNO',
          syscalls: [
            { names: ['read', 'write', 'openat', 'close', 'execve', 'exit_group'], action: 'SCMP_ACT_ALLOW' },
            { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 8, op: 'SCMP_CMP_EQ' }] },
          ],
        },
      },
    }),
  )
}
