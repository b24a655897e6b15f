import { quote } from '../errors'
import { GLOBAL_OPTIONS, type GlobalValues, type OptionTable } from './options'
import { complete, globalValues, type Parsed, parse, UsageError } from './parse'
import type { Call, Verb } from './verb'

/** What stands on a command line in front of the verb. */
export type UpToVerb = ReturnType<typeof parse>

/** A command line of a verb, read. */
export type Words = Pick<Call, 'globals' | 'options' | 'positionals'>

/** Errors: UsageError. */
export const readUpToVerb = (argv: readonly string[]): UpToVerb => parse(argv, GLOBAL_OPTIONS, true)

/** Of each verb, options of all verbs among its own: a planner reads thousands of command lines. */
const tables = new WeakMap<Verb, OptionTable>()

function tableOf(verb: Verb): OptionTable {
  const known = tables.get(verb)
  if (known !== undefined) return known
  const table: OptionTable = { ...GLOBAL_OPTIONS, ...verb.options }
  tables.set(verb, table)
  return table
}

/**
 * Read what follows the verb; options of all verbs may stand there too. `before`: of readUpToVerb(argv).
 *
 * Errors: UsageError.
 */
export function readWords(verb: Verb, argv: readonly string[], before: UpToVerb): Words {
  const given = argv.slice(before.end + 1)
  const untilPositional = verb.commandBehindId === true
  const read = parse(given, tableOf(verb), untilPositional)
  const after = untilPositional ? { ...read, positionals: given.slice(read.end) } : read
  const own = Object.entries(after.values).filter(([option]) => Object.hasOwn(verb.options, option))
  const shared = Object.entries(after.values).filter(([option]) => !Object.hasOwn(verb.options, option))
  const globals: GlobalValues = globalValues({ ...before.values, ...Object.fromEntries(shared) })
  const options = complete(verb.options, Object.fromEntries(own)) as never
  return { globals, options, positionals: after.positionals }
}

/** Errors: UsageError for a number of arguments that the verb does not take. */
export function checkPositionals(verb: Verb, { positionals }: Pick<Parsed, 'positionals'>): void {
  const [least, most] = verb.positionals
  if (positionals.length >= least && positionals.length <= most) return
  const missing = positionals.length < least
  throw new UsageError(
    missing
      ? `an argument is missing: ${verb.name} ${verb.synopsis}`
      : `too many arguments: ${quote(positionals[most] ?? '')} (${verb.name} ${verb.synopsis})`.replace(/ \)$/, ')'),
  )
}
