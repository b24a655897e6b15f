import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, bundle, type Config, type SeccompAgent } from '../../lib'

/** A container for which the runtime makes one of nearly everything that it can make. */
export const richBundle = (change: (config: Config, b: Bundle) => void = () => undefined): Promise<Bundle> =>
  bundle((c, b) => {
    mkdirSync(join(b.path, 'volume'))
    c.process.args = ['/bin/probe', 'pause']
    c.process.oomScoreAdj = 100
    c.linux.namespaces.push({ type: 'cgroup' })
    c.mounts.push(
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      { destination: '/volume', type: 'bind', source: 'volume', options: ['rbind', 'nosuid'] },
      { destination: '/volume/tmpfs', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] },
    )
    c.linux.devices = [{ path: '/dev/extra', type: 'c', major: 1, minor: 7 }]
    c.linux.resources = {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 7, access: 'rw' },
      ],
      memory: { limit: 268435456 },
      pids: { limit: 64 },
      cpu: { shares: 512 },
    }
    c.linux.sysctl = { 'net.core.somaxconn': '1234' }
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
    c.hooks = {
      createRuntime: [b.hook('createRuntime', 'runtime')],
      createContainer: [b.hook('createContainer', 'container')],
      startContainer: [b.hook('startContainer', 'start')],
      poststart: [b.hook('poststart', 'started')],
      poststop: [b.hook('poststop', 'stopped')],
    }
    c.root.readonly = false
    change(c, b)
  })

/** The same with a filter that asks an agent, also for what init itself calls while it is made. */
export const notifyingBundle = ({ socket }: SeccompAgent): Promise<Bundle> =>
  richBundle((c) => {
    c.process.noNewPrivileges = false
    c.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      listenerPath: socket,
      syscalls: [{ names: ['acct', 'capset', 'read'], action: 'SCMP_ACT_NOTIFY' }],
    }
  })

/** The same in a user namespace. */
export const mappedBundle = (): Promise<Bundle> =>
  richBundle((c, b) => {
    // Its root is nobody to the root file system: what is mounted upon has to be there.
    b.directory('volume')
    mkdirSync(join(b.path, 'volume/tmpfs'))
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
    c.linux.devices = []
  })
