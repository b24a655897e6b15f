/**
 * A grammar of config.json, made of the schema that its validators are generated from: each document is of the right
 * types, and now and then something in it is nearly right.
 */
import fc from 'fast-check'
import { SCHEMAS } from '../spec/schema'
import type { FormName } from '../spec/schema/forms'
import type { Schema } from '../spec/schema/schema'
import { HINTS, KEYS } from './hints'

export interface Grammar {
  /** Of a hundred values, how many are not what the schema wants. */
  readonly wrong: number
  /** Of ten properties that may be absent, how many are there. */
  readonly present: number
}

const ABSENT = Symbol('absent')
type Some = fc.Arbitrary<unknown>

const number = (least: number, most: number): Some =>
  fc.oneof(fc.constantFrom(least, most), fc.integer({ min: least, max: Math.min(most, least + 20) }))
const bigint = (least: bigint, most: bigint): Some =>
  fc.oneof(
    fc.integer({ min: Number(least < 0n ? -2n : 0n), max: 4096 }),
    fc.constantFrom(least, most),
    fc.bigInt(least, most),
  )
const INT64_MAX = 2n ** 63n - 1n
const LIST = fc
  .array(
    fc.tuple(fc.nat(7), fc.nat(3)).map(([first, more]) => (more === 0 ? `${first}` : `${first}-${first + more}`)),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(','))
const PATH = fc
  .array(fc.constantFrom('a', 'b', 'dev', 'proc', 'sys', 'etc', '..', '.', 'c d', 'é'), { maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`)

const FORM_VALUES: { readonly [name in FormName]: Some } = {
  int32: number(-2147483648, 2147483647),
  uint32: number(0, 4294967295),
  int64: bigint(-(2n ** 63n), INT64_MAX),
  uint64: bigint(0n, 2n ** 64n - 1n),
  userId: number(0, 4294967294),
  deviceNumber: number(0, 4294967295),
  deviceNumberOrAny: number(-1, 4294967295),
  oomScoreAdj: number(-1000, 1000),
  ioPriority: number(0, 7),
  nanoseconds: number(0, 999_999_999),
  hookTimeout: number(1, 4294967295),
  swappiness: number(0, 100),
  cpuIdle: number(0, 1),
  limit: bigint(-1n, INT64_MAX),
  blockWeight: number(10, 1000),
  seccompReturn: number(0, 65535),
  syscallArgument: number(0, 5),
  nonEmpty: fc.string({ minLength: 1, maxLength: 8 }),
  key: fc.string({ minLength: 1, maxLength: 8 }),
  absolutePath: PATH,
  numberList: LIST,
  cpuList: LIST,
  nodeList: LIST,
  pageSize: fc.constantFrom('64KB', '2MB', '1GB'),
  interfaceName: fc.constantFrom('eth0', 'veth-a', 'lo', 'é'),
  umask: number(0, 0o777),
  deviceAccess: fc.constantFrom('', 'r', 'rw', 'rwm', 'm'),
}

/** What is put in the place of a right value, with names that every object of JavaScript has among it. */
const WRONG: Some = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '__proto__', 'constructor', 0.5, -1, 1e21, [], {}, [null], 'a\0b', '\ud800'),
  fc.integer(),
  fc.bigInt(-(2n ** 70n), 2n ** 70n),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constant({}).map(() => JSON.parse('{"__proto__":{"hostname":"polluted","polluted":true}}')),
)

/** Values of one schema below the place `at`, which names schema and property as in "mount.options". */
function valuesOf(schema: Schema, at: string, grammar: Grammar): Some {
  const right = rightValues(schema, at, grammar)
  return grammar.wrong === 0
    ? right
    : fc.oneof({ weight: 100 - grammar.wrong, arbitrary: right }, { weight: grammar.wrong, arbitrary: WRONG })
}

function rightValues(schema: Schema, at: string, grammar: Grammar): Some {
  const hint = HINTS[at]
  if (hint !== undefined) return hint
  if (schema.$ref !== undefined) return valuesOfSchema(schema.$ref, grammar)
  if (schema.form !== undefined) return FORM_VALUES[schema.form]
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'string') return fc.oneof(fc.constantFrom('', '/', 'a', 'no_such_word'), fc.string())
  if (schema.type === 'array') {
    const items = valuesOf(schema.items ?? {}, `${at}.*`, grammar)
    return fc.array(items, { minLength: schema.minItems ?? 0, maxLength: 3 })
  }
  if (schema.additionalProperties !== undefined) {
    const keys = KEYS[at] ?? fc.string({ minLength: 1, maxLength: 8 })
    return fc
      .array(fc.tuple(keys, valuesOf(schema.additionalProperties, `${at}.*`, grammar)), { maxLength: 3 })
      .map((entries) => ownEntries(entries))
  }
  return objects(schema, at, grammar)
}

/** Also for the name __proto__, which an assignment would not make a property of. */
export const ownEntries = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> =>
  Object.fromEntries(entries)

function objects(schema: Schema, at: string, grammar: Grammar): Some {
  const required = new Set(schema.required)
  const names = Object.keys(schema.properties ?? {})
  const members = names.map((name) => {
    const values = valuesOf(schema.properties?.[name] ?? {}, `${at}.${name}`, grammar)
    // What another property needs is left out now and then, where something may be wrong.
    const always = required.has(name) && grammar.wrong === 0
    const absent = required.has(name) ? 1 : 10 - grammar.present
    return always
      ? values
      : fc.oneof(
          { withCrossShrink: true },
          { weight: absent, arbitrary: fc.constant(ABSENT) },
          { weight: required.has(name) ? 60 : grammar.present, arbitrary: values },
        )
  })
  return fc
    .tuple(...members)
    .map((values) =>
      ownEntries(
        names.flatMap((name, index) => (values[index] === ABSENT ? [] : [[name, values[index]] as [string, unknown]])),
      ),
    )
}

/** Values of a schema by its name. */
export const valuesOfSchema = (name: string, grammar: Grammar): Some => valuesOf(SCHEMAS[name] ?? {}, name, grammar)

/** JSON of a value in which large integers are bigints. */
export function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${jsonOf(member)}`)
    .join(',')}}`
}

/** Documents as text. */
export const documents = (grammar: Grammar): fc.Arbitrary<string> => valuesOfSchema('config', grammar).map(jsonOf)
