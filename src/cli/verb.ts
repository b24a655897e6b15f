import type { Handoff } from '../host/caller'
import type { Engine } from './engine'
import type { Log } from './log'
import type { GlobalValues, OptionTable, OptionValues } from './options'

/** One call of a verb, understood. */
export interface Call<T extends OptionTable = OptionTable> {
  readonly globals: GlobalValues
  readonly options: OptionValues<T>
  readonly positionals: readonly string[]
  /** The command line without node and the script: what the launcher was called with, behind its own name. */
  readonly argv: readonly string[]
  readonly log: Log
  /** undefined where node was started without the launcher. */
  readonly handoff: Handoff | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly engine: Engine
}

/** A verb of the command line. Each is a file of its own, loaded only when it is called or helped with. */
export interface Verb<T extends OptionTable = OptionTable> {
  readonly name: string
  /** One line. */
  readonly summary: string
  /** What follows the options in the synopsis, as in "ID [SIGNAL]". */
  readonly synopsis: string
  readonly description: string
  readonly options: T
  /** Least and greatest number of positionals. */
  readonly positionals: readonly [number, number]
  /** Options end at the first positional: what follows it is a command with options of its own. */
  readonly commandBehindId?: boolean
  /** Exit code of errors; 1 where it is not given. */
  readonly failed?: number
  /** Returns the exit code, 0 for success. Errors: whatever it throws becomes the call's error line and exit code `failed`. */
  readonly run: (call: Call<T>) => number | Promise<number>
}

/** Gives a verb's `run` the types of its own options. */
export function defineVerb<const T extends OptionTable>(verb: Verb<T>): Verb {
  return verb as unknown as Verb
}
