import { quote } from '../errors'
import type { Process } from '../spec/types'
import { PERSONALITY_DOMAINS } from '../tables/personality'
import { RLIMITS } from '../tables/rlimits'
import type { PlanBuilder } from './builder'
import { type CredentialsPlan, initCapabilities, planBoundingSet, planUser } from './credentials'
import { planMemoryPolicy, planScheduling } from './scheduling'

const nameOf = (entry: string): string => {
  const equals = entry.indexOf('=')
  return equals < 0 ? entry : entry.slice(0, equals)
}

/**
 * config.md "Process" env: the last of several entries for one name stays, as with runc. An empty HOME counts as none,
 * see planHome.
 */
export function planEnvironment(process: Process, announced: readonly string[]): readonly string[] {
  const last = new Map<string, string>()
  for (const entry of [...(process.env ?? []), ...announced]) {
    const name = nameOf(entry)
    // Deleted first: the entry takes the place of the last one.
    last.delete(name)
    last.set(name, entry)
  }
  if (last.get('HOME') === 'HOME=') last.delete('HOME')
  return [...last.values()]
}

/** runc gives a process without HOME the one of its user in the container's /etc/passwd. */
export function planHome({ init }: PlanBuilder, env: readonly string[], uid: number): void {
  if (env.some((entry) => entry.startsWith('HOME='))) return
  init.push({ kind: 'findHome', pointer: '/process/user/uid', what: `find the home directory of user ${uid}`, uid })
}

export function planRlimits({ init }: PlanBuilder, process: Process): void {
  process.rlimits?.forEach(({ type, soft, hard }, index) => {
    const resource = RLIMITS[type as keyof typeof RLIMITS]
    const pointer = `/process/rlimits/${index}`
    init.push({
      kind: 'setRlimit',
      pointer,
      what: `set ${type}`,
      resource,
      soft: BigInt(soft),
      hard: BigInt(hard),
    })
  })
}

/** Root of a user namespace may not raise a hard limit; the host side does it for init. */
export function planRaiseRlimits(builder: PlanBuilder): void {
  if (builder.namespaces.kinds.user !== 'host') raiseRlimits(builder)
}

/** For a process that sets its limits when it has no privileges any more. */
export function raiseRlimits({ create, spec }: PlanBuilder): void {
  spec.process?.rlimits?.forEach(({ type, hard }, index) => {
    const resource = RLIMITS[type as keyof typeof RLIMITS]
    const pointer = `/process/rlimits/${index}`
    create.push({ kind: 'raiseRlimit', pointer, what: `raise ${type}`, resource, hard: BigInt(hard) })
  })
}

export function planOomScoreAdj({ create, spec }: PlanBuilder): void {
  const value = spec.process?.oomScoreAdj
  if (value === undefined) return
  const what = 'set oom_score_adj'
  create.push({ kind: 'setOomScoreAdj', pointer: '/process/oomScoreAdj', what, value: BigInt(value) })
}

export function planPersonality({ init, spec }: PlanBuilder): void {
  const domain = spec.linux?.personality?.domain
  if (domain === undefined) return
  const persona = BigInt(PERSONALITY_DOMAINS[domain as keyof typeof PERSONALITY_DOMAINS])
  init.push({ kind: 'setPersonality', pointer: '/linux/personality', what: `set personality ${domain}`, persona })
}

export function planUmaskAndStdio({ init }: PlanBuilder, process: Process, { uid, gid }: CredentialsPlan): void {
  const umask = process.user?.umask
  if (umask !== undefined) {
    init.push({ kind: 'setUmask', pointer: '/process/user/umask', what: 'set the umask', value: umask })
  }
  init.push({ kind: 'ownStdio', pointer: '/process/user', what: 'give the standard streams to the user', uid, gid })
}

export function planChangeDirectory({ init }: PlanBuilder, path: string, retry: boolean): void {
  const what = `enter the working directory ${quote(path)}`
  init.push({ kind: 'changeDirectory', pointer: '/process/cwd', what, path, retry })
}

/** As runc and crun: a program that is not there is an error of create. Engines tell it from others only there. */
function planFindProgram({ init }: PlanBuilder, { args = [] }: Process, env: readonly string[]): void {
  const [name = ''] = args
  const path = env.filter((entry) => entry.startsWith('PATH='))
  init.push({ kind: 'findProgram', pointer: '/process/args', what: `exec ${quote(name)}`, name, env: path })
}

/** What init becomes once its root is entered, up to waiting for start. */
export function planProcess(
  builder: PlanBuilder,
  process: Process,
  credentials: CredentialsPlan,
  env: readonly string[],
): void {
  const { init } = builder
  planUmaskAndStdio(builder, process, credentials)
  planHome(builder, env, credentials.uid)
  // As root first: a directory that only root may enter is a common working directory. Then, if that was refused
  // (root of a user namespace, a network file system), as the user.
  const asUser = credentials.uid !== 0
  planChangeDirectory(builder, process.cwd, asUser)
  planPersonality(builder)
  planScheduling(builder, 'init')
  planMemoryPolicy(builder)
  planRlimits(builder, process)
  planBoundingSet(builder, credentials)
  planUser(builder, credentials)
  if (asUser) planChangeDirectory(builder, process.cwd, false)
  const pointer = '/process/capabilities'
  init.push({ kind: 'setCapabilities', pointer, what: 'set the capabilities', ...initCapabilities(credentials) })
  if (process.noNewPrivileges === true) {
    const what = 'set no_new_privs'
    init.push({ kind: 'setNoNewPrivileges', pointer: '/process/noNewPrivileges', what })
  }
  planFindProgram(builder, process, env)
}
