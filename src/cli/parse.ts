import { quote, TsruncError } from '../errors'
import { GLOBAL_OPTIONS, type GlobalValues, type OptionDefinition, type OptionTable } from './options'

/** A command line that cannot be understood; the verb's help is printed with it. */
export class UsageError extends TsruncError {
  constructor(message: string) {
    super('USAGE', message)
    this.name = 'UsageError'
  }
}

type Value = string | boolean | readonly string[]

/** A stretch of a command line, read by one table. */
export interface Parsed {
  readonly values: Readonly<Record<string, Value>>
  readonly positionals: readonly string[]
}

/** As Go's flag package reads booleans, which callers are used to. */
const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

function readBoolean(name: string, value: string | undefined): boolean {
  if (value === undefined || TRUE.includes(value)) return true
  if (FALSE.includes(value)) return false
  throw new UsageError(`invalid value ${quote(value)} of ${name}: it is a switch`)
}

function readString(name: string, definition: OptionDefinition, value: string | undefined): string {
  if (value === undefined) throw new UsageError(`${name} needs a value`)
  if (definition.choices !== undefined && !definition.choices.includes(value)) {
    throw new UsageError(`invalid value ${quote(value)} of ${name}: one of ${definition.choices.join(', ')}`)
  }
  return value
}

/** One option as it stands on the command line. `rawName`: with its dashes. */
interface Given {
  readonly name: string
  readonly rawName: string
  readonly definition: OptionDefinition
  /** The value behind "=" or behind a single letter, else undefined. */
  readonly inline: string | undefined
}

function longOption(word: string, table: OptionTable): Given {
  const equals = word.indexOf('=')
  const rawName = equals < 0 ? word : word.slice(0, equals)
  const name = rawName.slice(2)
  const definition = Object.hasOwn(table, name) ? table[name] : undefined
  if (definition === undefined) throw new UsageError(`unknown option ${rawName}`)
  return { name, rawName, definition, inline: equals < 0 ? undefined : word.slice(equals + 1) }
}

/**
 * "-no-subreaper" as "--no-subreaper": Go's flag package knows one dash and two, and containerd's go-runc writes it so. What
 * else begins with one dash are letters.
 */
function isLong(word: string, table: OptionTable): boolean {
  if (word.startsWith('--')) return true
  const [name = ''] = word.slice(1).split('=', 1)
  return name.length > 1 && Object.hasOwn(table, name)
}

/** -b, -b=value, -bvalue, and switches in a group as in -dk. */
function shortOptions(word: string, table: OptionTable): readonly Given[] {
  const out: Given[] = []
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]
    const found = Object.entries(table).find(([, { short }]) => short === letter)
    if (found === undefined) throw new UsageError(`unknown option -${letter}`)
    const [name, definition] = found
    const rest = word.slice(at + 1)
    const takesRest = rest !== '' && (definition.type !== 'boolean' || rest.startsWith('='))
    out.push({ name, rawName: `-${letter}`, definition, inline: takesRest ? rest.replace(/^=/, '') : undefined })
    if (takesRest) break
  }
  return out
}

/**
 * Read `argv` by `table`: --name value, --name=value, -name, -n value, -nvalue, grouped switches, and "--" before arguments
 * that begin with a dash. Stops before the first positional where `untilPositional`; its index is `end`. Not yargs,
 * which takes longer than everything else that node does here: it renders the help (help.ts).
 *
 * Errors: UsageError for an option that is not in the table, a missing value, or one that is not among the choices.
 */
export function parse(
  argv: readonly string[],
  table: OptionTable,
  untilPositional = false,
): Parsed & { readonly end: number } {
  const values: Record<string, Value> = {}
  const positionals: string[] = []
  let at = 0
  let optionsEnded = false
  for (let word = argv[at]; word !== undefined; word = argv[++at]) {
    if (optionsEnded || word === '-' || !word.startsWith('-')) {
      if (untilPositional) break
      positionals.push(word)
    } else if (word === '--') {
      optionsEnded = true
    } else {
      for (const { name, rawName, definition, inline } of isLong(word, table)
        ? [longOption(word.startsWith('--') ? word : `-${word}`, table)]
        : shortOptions(word, table)) {
        if (definition.type === 'boolean') {
          values[name] = readBoolean(rawName, inline)
          continue
        }
        const value = readString(rawName, definition, inline ?? argv[++at])
        const earlier = values[name]
        values[name] = definition.type === 'string' ? value : [...(Array.isArray(earlier) ? earlier : []), value]
      }
    }
  }
  return { values, positionals, end: at }
}

/** `values` with false, undefined and an empty list for the options that were not given. */
export function complete(
  table: OptionTable,
  values: Readonly<Record<string, Value>>,
): Record<string, Value | undefined> {
  const absent = { boolean: false, string: undefined, strings: [] } as const
  const out: Record<string, Value | undefined> = {}
  for (const [name, { type }] of Object.entries(table)) out[name] = values[name] ?? absent[type]
  return out
}

/** The global options in `values`, as given before or after the verb. Errors: UsageError for an empty --root. */
export function globalValues(values: Readonly<Record<string, Value>>): GlobalValues {
  if (values['root'] === '') throw new UsageError('--root needs a value')
  return complete(GLOBAL_OPTIONS, values) as unknown as GlobalValues
}
