import { defaultConfig, engineConfig } from '../../bench/configs'
import type { EngineConfig } from './config'

/** Configurations of our own, each of the kind that some engine writes: tried when no folder is named. */
export function sampleConfigs(syscalls: readonly string[]): ReadonlyMap<string, EngineConfig> {
  const choice = { rootfs: 'rootfs', cgroupsPath: '/sample', args: ['/bin/true'] }
  const basic = () => defaultConfig(choice)
  const engine = () => engineConfig(choice, syscalls)
  const withLinux = (config: ReturnType<typeof engine>, more: object) => ({
    ...config,
    linux: { ...config.linux, ...more },
  })
  const own = (...types: readonly string[]) => types.map((type) => ({ type }))
  const joined = (...types: readonly string[]) => types.map((type) => ({ type, path: `/proc/2/ns/${type}` }))
  const terminal = engine()
  const mapping = [{ containerID: 0, hostID: 200000, size: 65536 }]
  const memory = { limit: 67108864, reservation: 33554432 }
  const cpu = { shares: 512, quota: 50000, period: 100000, cpus: '0' }
  return new Map<string, EngineConfig>([
    ['as spec writes it', basic()],
    ['engine: seccomp profile, limits', engine()],
    ['engine: terminal', { ...terminal, process: { ...terminal.process, terminal: true } }],
    ['engine: read-only root', { ...engine(), root: { path: 'rootfs', readonly: true } }],
    [
      'engine: user namespace',
      withLinux(engine(), {
        sysctl: {}, // a range of groups must lie within the mappings
        namespaces: [...engine().linux.namespaces, { type: 'user' }],
        uidMappings: mapping,
        gidMappings: mapping,
      }),
    ],
    [
      'pod member: namespaces of a neighbour',
      withLinux(engine(), { sysctl: {}, namespaces: [...own('mount'), ...joined('pid', 'network', 'ipc', 'uts')] }),
    ],
    ['all limits', withLinux(engine(), { resources: { memory, cpu, pids: { limit: 20 } } })],
    ['volumes', { ...engine(), mounts: [...engine().mounts, ...volumes()] }],
    ['hooks', { ...engine(), hooks: hooks() }],
  ])
}

function volumes() {
  return [
    { destination: '/etc/resolv.conf', type: 'bind', source: '/other/resolv.conf', options: ['rbind', 'rprivate'] },
    { destination: '/srv/data', type: 'bind', source: '/other/data', options: ['rbind', 'ro', 'rslave'] },
    { destination: '/cache', type: 'tmpfs', source: 'tmpfs', options: ['noexec', 'nosuid', 'nodev', 'size=1m'] },
  ]
}

function hooks() {
  const kinds = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']
  return Object.fromEntries(kinds.map((kind) => [kind, [{ path: '/other/hook', args: ['hook', kind] }]]))
}
