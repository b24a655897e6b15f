import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { quote, TsruncError } from '../errors'
import { CRIU_CONFIG, criuConfig } from '../plan/criu/config'
import type { Spec } from '../spec/types'

/** A caller may have no PATH, as Podman's clean-up has none. */
const USUAL_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** 3.0, from which on CRIU has what is asked of it here. */
const LEAST_VERSION = 30000

type Environment = Readonly<Record<string, string | undefined>>

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const searchPath = (environment: Environment): readonly string[] => {
  const own = (environment.PATH ?? '').split(delimiter).filter((directory) => directory.startsWith('/'))
  return [...new Set([...own, ...USUAL_DIRECTORIES])]
}

/** CRIU calls ip, iptables-restore, nft and tar by their names. */
export const criuEnvironment = (environment: Environment): readonly string[] =>
  Object.entries({ ...environment, PATH: searchPath(environment).join(delimiter) }).flatMap(([name, value]) =>
    value === undefined || name.startsWith('_TSRUNC_') ? [] : [`${name}=${value}`],
  )

/** The executable of CRIU. `named`: --criu, a path or a name. Errors: NO_CRIU. */
export function findCriu(named: string | undefined, environment: Environment): string {
  const name = named === undefined || named === '' ? 'criu' : named
  const candidates = name.includes('/') ? [name] : searchPath(environment).map((directory) => join(directory, name))
  const found = candidates.find(isExecutable)
  if (found !== undefined) return found
  const where = name.includes('/')
    ? 'it is no executable file'
    : `it is in none of ${searchPath(environment).join(', ')}`
  throw new TsruncError(
    'NO_CRIU',
    `checkpoint and restore need CRIU: ${quote(name)} was not found: ${where}; install it (package criu), or name it with --criu`,
  )
}

function run(criu: string, args: readonly string[], environment: readonly string[]): { ok: boolean; text: string } {
  const env = Object.fromEntries(environment.map((entry) => entry.split(/=(.*)/s, 2)))
  try {
    const stdout = execFileSync(criu, args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20000,
    })
    return { ok: true, text: stdout }
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string }
    return { ok: false, text: stderr.trim() === '' ? message : stderr.trim() }
  }
}

/** "Version: 4.2.1" as 40201. Errors: CRIU_VERSION. */
export function checkVersion(criu: string, environment: readonly string[]): void {
  const { ok, text } = run(criu, ['--version'], environment)
  const [, major, minor, sub = '0'] = /^Version: (\d+)\.(\d+)(?:\.(\d+))?/m.exec(text) ?? []
  if (!ok || major === undefined || minor === undefined) {
    throw new TsruncError('CRIU_VERSION', `${quote(`${criu} --version`)} does not tell a version of CRIU: ${text}`)
  }
  const version = Number(major) * 10000 + Number(minor) * 100 + Number(sub)
  if (version >= LEAST_VERSION) return
  throw new TsruncError('CRIU_VERSION', `${criu} is CRIU ${major}.${minor}: 3.0 is the oldest one that will do`)
}

export interface Feature {
  /** The flag of tsrunc that needs it. */
  readonly flag: string
  /** criu(8) check --feature. */
  readonly feature: string
  readonly purpose: string
}

/** What CRIU finds on this host is asked for before anything is begun. Errors: CRIU_FEATURE. */
export function checkFeature(criu: string, environment: readonly string[], needed: Feature): void {
  const { flag, feature, purpose } = needed
  const { ok, text } = run(criu, ['check', '--feature', feature], environment)
  if (ok) return
  const found = `${quote(`${criu} check --feature ${feature}`)} says: ${text}`
  throw new TsruncError(
    'CRIU_FEATURE',
    `${flag} needs that ${purpose}, which CRIU does not find on this host: ${found}`,
  )
}

/** userfaultfd(2) with events of other processes. Errors: CRIU_FEATURE. */
export function checkLazyPages(criu: string, environment: readonly string[]): void {
  const purpose = 'userfaultfd(2) tells of the faults of other processes'
  checkFeature(criu, environment, { flag: '--lazy-pages', feature: 'uffd-noncoop', purpose })
}

/** The file with options of CRIU that the configuration names, or that is usual, or ''. */
export const configOf = ({ annotations }: Spec): string => criuConfig(annotations?.[CRIU_CONFIG], existsSync)
