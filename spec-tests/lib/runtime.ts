import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { REPOSITORY } from './config'

export type RuntimeName = 'tsrunc' | 'runc' | 'crun' | 'youki' | 'unknown'

/** What a runtime does differently without being wrong. */
export interface Quirks {
  /** Names in the directory of --root that outlive every container. */
  readonly keptInRoot: readonly RegExp[]
  /** Leaves the directories above a container's cgroup. */
  readonly keepsCgroupParents: boolean
  /** Its error messages name the property of config.json that was wrong. */
  readonly tellsStories: boolean
}

export interface Runtime {
  readonly path: string
  readonly name: RuntimeName
  readonly version: string
  readonly quirks: Quirks
}

const NO_QUIRKS: Quirks = { keptInRoot: [], keepsCgroupParents: false, tellsStories: false }

const QUIRKS: Readonly<Record<RuntimeName, Quirks>> = {
  // Compiled seccomp programs, for later containers; the socket of a planner that was killed.
  tsrunc: { ...NO_QUIRKS, keptInRoot: [/^~seccomp$/, /^~plans$/, /^~planner$/], tellsStories: true },
  runc: { keptInRoot: [], keepsCgroupParents: true, tellsStories: false },
  crun: { keptInRoot: [/^\.lock$/, /^\.empty-directory$/], keepsCgroupParents: true, tellsStories: false },
  youki: NO_QUIRKS,
  unknown: NO_QUIRKS,
}

const probeRuntime = (): Runtime => {
  const path = realpathSync(resolve(REPOSITORY, process.env['RUNTIME'] ?? 'build/Release/tsrunc'))
  const text = execFileSync(path, ['--version'], { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } })
  const names: readonly RuntimeName[] = ['tsrunc', 'runc', 'crun', 'youki']
  const name = names.find((candidate) => text.startsWith(candidate)) ?? 'unknown'
  return { path, name, version: /version:? (\S+)/.exec(text)?.[1] ?? '', quirks: QUIRKS[name] }
}

let found: Runtime | undefined

/** The runtime under test: environment variable RUNTIME, relative to the repository, else tsrunc as it was built. */
export const runtime = (): Runtime => {
  found ??= probeRuntime()
  return found
}
