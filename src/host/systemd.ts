import { lstatSync } from 'node:fs'
import { parseMemberships } from './cgroups'
import type { CgroupFacts, SystemdFacts } from './facts'
import { type HostView, OWN_VIEW } from './view'

/** sd_booted(3): the directory is there where systemd runs the host, and nowhere else. */
const BOOTED = '/run/systemd/system'

/** The path in systemd's own hierarchy: the one of v2, or "name=systemd". */
function systemdPath(text: string, version: CgroupFacts['version']): string | undefined {
  const memberships = parseMemberships(text)
  const own = memberships.find(({ controllers }) =>
    version === 2 ? controllers.length === 0 : controllers.includes('name=systemd'),
  )
  return own?.path
}

/** The cgroup of the host's manager from that of its process, which is in init.scope beneath it. */
export const rootOfManager = (path: string): string => path.replace(/\/init\.scope$/, '').replace(/\/$/, '')

/**
 * The cgroup of the caller's own manager, user@UID.service, from the caller's. A session of logind(8) is beside it; for a
 * caller that is in neither it is where systemd has it by default.
 */
export function rootOfUserManager(own: string, uid: number): string {
  const within = /^(.*\/user@\d+\.service)(?:\/|$)/.exec(own)?.[1]
  if (within !== undefined) return within
  const [, slice, user] = /^(.*\/user-(\d+)\.slice)(?:\/|$)/.exec(own) ?? []
  const number = user ?? String(uid)
  return `${slice ?? `/user.slice/user-${number}.slice`}/user@${number}.service`
}

type Environment = Readonly<Record<string, string | undefined>>

/** The user of the host: in a user namespace the caller may be its root. */
function hostUser(euid: number, environment: Environment): number {
  const number = /^\/run\/user\/(\d+)$/.exec(environment['XDG_RUNTIME_DIR'] ?? '')?.[1]
  return number === undefined ? euid : Number(number)
}

function ownerOfSystemd(): number | undefined {
  const found = lstatSync(BOOTED, { throwIfNoEntry: false })
  return found?.isDirectory() === true ? found.uid : undefined
}

/**
 * Which systemd there is to ask: the host's for root, the caller's own for everybody else. In a user namespace root is
 * who owns the host's systemd there, as in a system container, or else the user who made the namespace.
 */
export function probeSystemd(
  version: CgroupFacts['version'],
  euid: number,
  environment: Environment,
  view: Pick<HostView, 'memory' | 'ownText' | 'text'> = OWN_VIEW,
): SystemdFacts | undefined {
  const owner = view.memory.fact('owner of systemd', ownerOfSystemd)
  if (owner === undefined) return undefined
  const isSystem = euid === 0 && owner === 0
  const path = systemdPath(isSystem ? view.text('/proc/1/cgroup') : view.ownText('cgroup'), version)
  if (isSystem) return { instance: 'system', root: rootOfManager(path ?? '') }
  return { instance: 'user', root: rootOfUserManager(path ?? '', hostUser(euid, environment)) }
}
