import { quote, TsruncError } from '../errors'
import type { Capabilities, Process, User } from '../spec/types'
import { CAPABILITIES } from '../tables/capabilities'

/** The flags of exec that say what the process is to be. */
export interface ExecFlags {
  /** The command; empty where the process file has it. */
  readonly args: readonly string[]
  readonly cwd: string | undefined
  readonly env: readonly string[]
  /** UID or UID:GID. */
  readonly user: string | undefined
  readonly additionalGids: readonly string[]
  /** False: as the process file says, and no terminal without one. */
  readonly tty: boolean
  readonly processLabel: string | undefined
  readonly apparmor: string | undefined
  /** undefined: as the configuration says. */
  readonly noNewPrivs: boolean | undefined
  readonly caps: readonly string[]
}

const usage = (message: string): TsruncError => new TsruncError('EXEC_OPTION', message)

/** (uid_t) -1 means "leave it" to setresuid(2). */
const LARGEST_ID = 0xfffffffe

function parseId(text: string, what: string, option: string): number {
  const id = /^(?:0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Number.NaN
  if (id <= LARGEST_ID) return id
  throw usage(`${option}: ${quote(text)} is no ${what}: a decimal number from 0 to ${LARGEST_ID} is`)
}

/**
 * "UID" or "UID:GID", both decimal numbers. Nothing is guessed: a name would have to be looked up in the container, and
 * what is half a number is none (CVE-2026-30892: "1" became 0:0). The group stays without GID, as with runc.
 *
 * Errors: EXEC_OPTION.
 */
export function parseUser(text: string): { readonly uid: number; readonly gid?: number } {
  const [uid = '', gid, rest] = text.split(':')
  if (rest !== undefined) throw usage(`--user: ${quote(text)} has more than UID:GID`)
  const user = { uid: parseId(uid, 'user id', '--user') }
  return gid === undefined ? user : { ...user, gid: parseId(gid, 'group id', '--user') }
}

/** Errors: EXEC_OPTION for a name that no kernel has: a capability that was asked for is not left out in silence. */
export function parseCapability(text: string): string {
  const upper = text.toUpperCase()
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (Object.hasOwn(CAPABILITIES, name)) return name
  throw usage(`--cap: ${quote(text)} is no capability (capabilities(7))`)
}

const union = (one: readonly string[] = [], other: readonly string[]): readonly string[] => [
  ...new Set([...one, ...other]),
]

/**
 * As runc: to the bounding, effective and permitted sets, and to the ambient one where it is inheritable by the
 * configuration. Never to the inheritable set (CVE-2022-29162).
 */
function withCapabilities(old: Capabilities | undefined, caps: readonly string[]): Capabilities {
  const inheritable = new Set(old?.inheritable)
  return {
    ...old,
    bounding: union(old?.bounding, caps),
    effective: union(old?.effective, caps),
    permitted: union(old?.permitted, caps),
    ambient: union(
      old?.ambient,
      caps.filter((name) => inheritable.has(name)),
    ),
  }
}

function withUser(old: User | undefined, { user, additionalGids }: ExecFlags): User | undefined {
  if (user === undefined && additionalGids.length === 0) return old
  const gids = additionalGids
    .flatMap((list) => list.split(','))
    .map((gid) => parseId(gid, 'group id', '--additional-gids'))
  return {
    ...old,
    ...(user === undefined ? {} : parseUser(user)),
    ...(gids.length === 0 ? {} : { additionalGids: [...(old?.additionalGids ?? []), ...gids] }),
  }
}

function checkEnvironment(env: readonly string[]): void {
  const bad = env.find((entry) => entry.indexOf('=') < 1)
  if (bad !== undefined) throw usage(`--env: ${quote(bad)} has not the form NAME=VALUE`)
}

/** Properties that a process file which does not have them takes from the container's configuration. */
const INHERITED = [
  'capabilities',
  'rlimits',
  'apparmorProfile',
  'selinuxLabel',
  'oomScoreAdj',
  'scheduler',
  'ioPriority',
  'execCPUAffinity',
] as const satisfies readonly (keyof Process)[]

function fromFile(file: Process, configured: Process): Process {
  const out: Record<string, unknown> = { ...file }
  for (const name of INHERITED) {
    if (file[name] === undefined && configured[name] !== undefined) out[name] = configured[name]
  }
  const umask = file.user?.umask ?? configured.user?.umask
  return { ...(out as unknown as Process), ...(umask === undefined ? {} : { user: { ...file.user, umask } }) }
}

/** The configuration's process without what belongs to its own program. */
function fromConfiguration({ terminal: _, consoleSize: __, args: ___, ...rest }: Process): Process {
  return rest
}

/**
 * The process that exec is to run: that of the file, else the configuration's, changed by the flags. Errors: EXEC_OPTION.
 */
export function execProcess(configured: Process | undefined, file: Process | undefined, flags: ExecFlags): Process {
  const own = configured ?? { cwd: '/' }
  const base = file === undefined ? fromConfiguration(own) : fromFile(file, own)
  const { args, cwd, env, tty, processLabel, apparmor, noNewPrivs, caps } = flags
  if (cwd !== undefined && !cwd.startsWith('/')) throw usage(`--cwd: ${quote(cwd)} is no absolute path`)
  checkEnvironment(env)
  const set = {
    ...(args.length === 0 ? {} : { args }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env.length === 0 ? {} : { env: [...(base.env ?? []), ...env] }),
    ...(tty ? { terminal: true } : {}),
    ...(processLabel === undefined ? {} : { selinuxLabel: processLabel }),
    ...(apparmor === undefined ? {} : { apparmorProfile: apparmor }),
    ...(noNewPrivs === undefined ? {} : { noNewPrivileges: noNewPrivs }),
    ...(caps.length === 0 ? {} : { capabilities: withCapabilities(base.capabilities, caps.map(parseCapability)) }),
  }
  const user = withUser(base.user, flags)
  return { ...base, ...set, ...(user === undefined ? {} : { user }) }
}
