import { CGROUPS } from './cgroups'
import { FEATURES } from './features'
import { GENERAL } from './general'
import { HOOKS } from './hooks'
import { LINUX } from './linux'
import { MOUNTS } from './mounts'
import { PROCESS } from './process'
import type { Requirement } from './requirement'
import { RUNTIME } from './runtime'
import { SECCOMP } from './seccomp'

export type { Kind, Requirement } from './requirement'

/** The rules of the specification for Linux, in its order. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...GENERAL,
  ...MOUNTS,
  ...PROCESS,
  ...HOOKS,
  ...LINUX,
  ...CGROUPS,
  ...SECCOMP,
  ...RUNTIME,
  ...FEATURES,
]

const IDS: ReadonlySet<string> = new Set(REQUIREMENTS.map((requirement) => requirement.id))

/**
 * The identifiers in a title: `config.md#mounts [MNT-1a MNT-4c]: sentence`, `kill [OP-4d]: sentence`.
 *
 * @throws Error for one that is not in the table, with those that begin alike
 */
export const idsIn = (title: string): readonly string[] => {
  const tag = /^[^[\]]* \[([A-Z]+-\d+[a-z]?(?: [A-Z]+-\d+[a-z]?)*)\]:/.exec(title)?.[1]
  const ids = tag === undefined ? [] : tag.split(' ')
  for (const id of ids) {
    if (!IDS.has(id)) {
      const alike = [...IDS].filter((other) => other.replace(/[a-z]$/, '') === id.replace(/[a-z]$/, ''))
      const hint = alike.length > 0 ? `; there are ${alike.join(', ')}` : ''
      throw new Error(`${id} is no rule of spec-tests/requirements${hint}: ${title}`)
    }
  }
  return ids
}
