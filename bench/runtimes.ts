import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join, resolve } from 'node:path'
import { measuredEnvironment } from './stopwatch'

export const FLOOR = 'floor'
/**
 * tsrunc with a planner that runs for its root; without one, with the plans that are kept in a file; and without both, as for a
 * configuration that never came before: node starts for each create, run and exec.
 */
export const WARM = 'tsrunc'
export const KEPT = 'tsrunc-kept'
export const COLD = 'tsrunc-cold'

/** One that takes part: a runtime, or the floor. */
export interface Participant {
  readonly name: string
  /** Absolute path of the executable; undefined: not on this host. */
  readonly path: string | undefined
  /** First line of `--version`. */
  readonly version: string
}

export interface Runtime extends Participant {
  readonly path: string
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Finds what was named on the command line (NAME or NAME=PATH). The floor is `floor`'s path. */
export function findParticipants(names: readonly string[], floor: string): readonly Participant[] {
  return names.map((entry) => {
    const separator = entry.indexOf('=')
    const name = separator < 0 ? entry : entry.slice(0, separator)
    const candidates = separator < 0 ? usualPlaces(name, floor) : [resolve(entry.slice(separator + 1))]
    const path = candidates.find(isExecutable)
    return { name, path, version: path === undefined ? '' : versionOf(name, path) }
  })
}

function usualPlaces(name: string, floor: string): readonly string[] {
  if (name === FLOOR) return [floor]
  if ([WARM, KEPT, COLD].includes(name)) return [join(__dirname, '..', 'build', 'Release', 'tsrunc')]
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin']
  return folders.filter((folder) => folder !== '').map((folder) => join(folder, name))
}

function versionOf(name: string, path: string): string {
  if (name === FLOOR) return 'of this repository'
  const { stdout, stderr } = spawnSync(path, ['--version'], { encoding: 'utf8', env: measuredEnvironment() })
  return (stdout || stderr || 'unknown').split('\n')[0]?.replace(/^\w+ version /, '') ?? 'unknown'
}
