/** Every property of config.json with every bad value: a clear refusal by its name, at once, or a plan that is possible. */
import { describe, expect, test } from 'vitest'
import { BAD_VALUES, type BadValue, textAround, valueAt, withJson, withTwice } from '../../spec-tests/lib/bad-values'
import { exampleConfig, examplePointer, PROPERTIES, type Property } from '../../spec-tests/lib/properties'
import { TsruncError } from '../errors'
import { describeFault, type Fault } from './fault'
import { inspectSpec, loadSpec } from './load'
import { SCHEMAS } from './schema'
import type { Schema } from './schema/schema'

/** Milliseconds; a value takes a few, on a machine with nothing else to do. */
const PATIENCE = 5_000

/** Pointers of everything that the schema speaks of, with * for any entry. */
function reached(schema: Schema, prefix: string): string[] {
  if (schema.$ref !== undefined) return reached(SCHEMAS[schema.$ref] ?? {}, prefix)
  const inner = schema.items ?? schema.additionalProperties
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, member]) => [
      `${prefix}/${name}`,
      ...reached(member, `${prefix}/${name}`),
    ]),
    ...(inner === undefined ? [] : [`${prefix}/*`, ...reached(inner, `${prefix}/*`)]),
  ]
}

test('the table has every property of the schema, and no other', () => {
  expect(Object.keys(PROPERTIES).sort()).toEqual([...new Set(reached(SCHEMAS['config'] ?? {}, ''))].sort())
})

const CONFIG = exampleConfig()

test('the example of every property together is a configuration without a fault', () => {
  expect(inspectSpec(Buffer.from(JSON.stringify(CONFIG))).faults).toEqual([])
})

/** A person can read it: short, of a place in the file, with the section of the specification. */
const isReadable = (fault: Fault): boolean =>
  describeFault('config.json', fault).length < 1500 && /^(config|config-linux|glossary)\.md/.test(fault.section)

/** What is found; a refusal of the text itself as one fault. */
function faultsOf(text: string): readonly Fault[] {
  const begin = performance.now()
  const faults = inspect(text)
  expect(performance.now() - begin).toBeLessThan(PATIENCE)
  expect(faults.find((fault) => !isReadable(fault))).toBeUndefined()
  return faults
}

/** Each fault names a property. */
const expectNamed = (faults: readonly Fault[]): void => {
  expect(faults.find(({ pointer }) => !pointer.startsWith('/'))).toBeUndefined()
}

function inspect(text: string): readonly Fault[] {
  const bytes = Buffer.from(text)
  const { faults } = inspectSpec(bytes)
  if (text.length > 100_000) return faults
  const first = faults.find(({ severity }) => severity === 'error')
  const thrown = refusal(bytes)
  expect([thrown?.pointer, (thrown?.message.length ?? 0) < 1500]).toEqual([first?.pointer, true])
  return faults
}

/** What create says of it. */
function refusal(bytes: Uint8Array): TsruncError | undefined {
  try {
    loadSpec(bytes, { path: 'config.json' })
    return undefined
  } catch (error) {
    if (error instanceof TsruncError) return error
    throw error
  }
}

const ROWS = Object.entries(PROPERTIES).map(([pattern, property]) => [pattern, property] as const)

/** What must be refused: by the property's own name, in words that say what is allowed. */
function expectRefused(pointer: string, property: Property, { name, json }: BadValue, faults: readonly Fault[]): void {
  const errors = faults.filter((fault) => fault.severity === 'error' && fault.pointer === pointer)
  // What the specification has no flags for is refused as a whole.
  const parent = pointer.replace(/\/0$/, '')
  const found = errors.length > 0 ? errors : faults.filter((fault) => fault.pointer === parent)
  expect(found, `${name} at ${pointer}`).not.toEqual([])
  const unusable = /\\u0000|\\u[dD][89a-fA-F]/.test(json) && !/\\ud83d\\ude00/.test(json)
  const words = unusable ? /must not contain|must be|must have/ : property.says
  expect(found.map(({ message }) => message).join('\n')).toMatch(words)
}

function check(pattern: string, property: Property, value: BadValue, [before, behind]: readonly string[]): void {
  const pointer = examplePointer(pattern)
  const faults = faultsOf(`${before}${value.json}${behind}`)
  if (value.value === null) {
    const severity = property.required || pattern.endsWith('/*') ? 'error' : 'warning'
    expect(faults).toContainEqual(expect.objectContaining({ pointer, severity }))
  } else if (!property.accepts(value.value)) {
    expectRefused(pointer, property, value, faults)
  } else {
    // Another property may not go with it, or what is in it may be bad: that is then said of a property, in a sentence.
    expectNamed(faults)
  }
}

const isLong = ({ json }: BadValue): boolean => json.length > 100_000
const LONG = BAD_VALUES.filter(isLong)

/** All short values, and in turn one of a megabyte. */
const valuesFor = (row: number): readonly BadValue[] => [
  ...BAD_VALUES.filter((value) => !isLong(value)),
  ...LONG.filter((_, index) => index === row % LONG.length),
]

describe('every bad value of every property', () => {
  test.each(ROWS)('%s', { timeout: 120_000 }, (pattern, property) => {
    const row = ROWS.findIndex(([name]) => name === pattern)
    const text = textAround(CONFIG, examplePointer(pattern))
    for (const value of valuesFor(row)) check(pattern, property, value, text)
  })
})

describe('a property that stands twice', () => {
  test.each(ROWS.filter(([pattern]) => !pattern.endsWith('/*')))('%s', (pattern) => {
    const pointer = examplePointer(pattern)
    const [fault] = faultsOf(withTwice(CONFIG, pointer))
    expect(fault).toMatchObject({ rule: 'json-duplicate', pointer })
    expect(fault?.message).toMatch(/stands twice in one object/)
  })
})

describe('100,000 brackets', () => {
  const kinds = ['[', '{"a":'].map((open) => {
    const close = open === '[' ? ']' : '}'
    return `${open.repeat(100_000)}1${close.repeat(100_000)}`
  })
  test.each(ROWS)('%s', { timeout: 60_000 }, (pattern) => {
    const pointer = examplePointer(pattern)
    const [fault] = faultsOf(withJson(CONFIG, pointer, kinds[pattern.length % 2] ?? ''))
    expect(fault?.message).toMatch(/nested more than 1000 deep/)
    // An entry of a list is told by its list.
    expect(fault?.pointer.startsWith(pointer.replace(/\/\d+$/, ''))).toBe(true)
  })
})

const LISTS = ROWS.filter(([, { container }]) => container === 'list')

describe('10,000 entries', () => {
  test.each(LISTS)('%s, all the same', { timeout: 60_000 }, (pattern) => {
    const pointer = examplePointer(pattern)
    const entry = JSON.stringify(valueAt(CONFIG, pointer.concat('/0')) ?? 'x')
    const json = `[${Array.from({ length: 10_000 }, () => entry).join(',')}]`
    expectNamed(faultsOf(withJson(CONFIG, pointer, json)))
  })

  test.each(LISTS)('%s, each of the wrong type', { timeout: 60_000 }, (pattern) => {
    const pointer = examplePointer(pattern)
    const json = `[${Array.from({ length: 10_000 }, () => 'true').join(',')}]`
    const faults = faultsOf(withJson(CONFIG, pointer, json))
    expect(faults.filter((fault) => fault.pointer.startsWith(`${pointer}/`)).length).toBeGreaterThanOrEqual(10_000)
  })

  test.each(ROWS.filter(([, { container }]) => container === 'map'))('%s', { timeout: 60_000 }, (pattern) => {
    const pointer = examplePointer(pattern)
    const value = valueAt(CONFIG, examplePointer(`${pattern}/*`))
    const entries = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`name.${index}`, value]))
    expectNamed(faultsOf(withJson(CONFIG, pointer, JSON.stringify(entries))))
  })
})

describe('names of maps', () => {
  const names = [
    '',
    'a\0',
    '\ud800',
    '../../x',
    'a\nb',
    '\u001b[2J',
    '__proto__',
    'toString',
    '~',
    '/',
    'x'.repeat(1 << 20),
  ]
  test.each(ROWS.filter(([, { container }]) => container === 'map'))('%s', (pattern) => {
    const value = JSON.stringify(valueAt(CONFIG, examplePointer(`${pattern}/*`)))
    for (const name of names) {
      const json = `{${JSON.stringify(name)}:${value}}`
      const faults = faultsOf(withJson(CONFIG, pattern, json))
      const step = name.replaceAll('~', '~0').replaceAll('/', '~1')
      expectNamed(faults)
      if (['', 'a\0', '\ud800'].includes(name)) {
        expect(faults).toContainEqual(expect.objectContaining({ severity: 'error', pointer: `${pattern}/${step}` }))
      }
    }
  })
})
