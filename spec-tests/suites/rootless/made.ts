import { type Bundle, bundle, type Config, requires } from '../../lib'
import { becomeUser, SUBORDINATE, USER } from '../../lib/unprivileged'

const ONE_ID = {
  uids: [{ containerID: 0, hostID: USER.uid, size: 1 }],
  gids: [{ containerID: 0, hostID: USER.gid, size: 1 }],
}

const RANGE = { containerID: 1, hostID: SUBORDINATE.first, size: SUBORDINATE.count }

/** What `spec --rootless` does to a configuration. */
export const rootless = (c: Config): void => {
  c.linux.namespaces = [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'user' }]
  c.linux.uidMappings = [...ONE_ID.uids]
  c.linux.gidMappings = [...ONE_ID.gids]
  delete (c.linux as { resources?: unknown }).resources
  delete (c.linux as { cgroupsPath?: unknown }).cgroupsPath
  for (const mount of c.mounts) {
    if (mount.type === 'devpts') mount.options = mount.options?.filter((option) => option !== 'gid=5') ?? []
    if (mount.type === 'sysfs') {
      mount.type = 'none'
      mount.source = '/sys'
      mount.options = ['rbind', 'nosuid', 'noexec', 'nodev', 'ro']
    }
  }
}

/** A bundle of a user without privileges, with its own id alone. */
export const made = (change: (c: Config) => void = () => undefined, ranges?: string): Promise<Bundle> => {
  requires('root', 'userns')
  becomeUser(ranges)
  return bundle((c) => {
    rootless(c)
    change(c)
  })
}

/** With the subordinate ids besides. */
export const withRange = (c: Config): void => {
  c.linux.uidMappings = [...ONE_ID.uids, RANGE]
  c.linux.gidMappings = [...ONE_ID.gids, RANGE]
}
