/** Configurations that nobody would write: each ends in a plan that can be encoded, or in an error with a pointer. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BAD_VALUES, withJson } from '../../spec-tests/lib/bad-values'
import { exampleConfig, examplePointer, PROPERTIES } from '../../spec-tests/lib/properties'
import { TsruncError } from '../errors'
import type { HostFacts } from '../host/facts'
import { fromPointer, toPointer, valueAt } from '../spec/json'
import { loadSpec } from '../spec/load'
import { FACTS_USER, FACTS_V1, FACTS_V2, resolve } from './fixtures'
import { ACTION, encodePlan } from './wire'

const LAUNCH = {
  action: ACTION.create,
  detach: true,
  keep: true,
  subreaper: false,
  log: '',
  logJson: false,
  debug: false,
}
/** Milliseconds; a configuration takes a few, on a machine with nothing else to do. */
const PATIENCE = 10_000

/** The error of a configuration on a host, or undefined where a plan was made. Anything but a TsruncError is thrown. */
function outcome(text: string, facts: HostFacts): TsruncError | undefined {
  const begin = performance.now()
  try {
    const { spec } = loadSpec(Buffer.from(text), { path: 'config.json' })
    const terminal = spec.process?.terminal === true ? { consoleSocket: '/run/console.sock' } : {}
    encodePlan(resolve(spec, terminal, facts).plan, LAUNCH)
    return undefined
  } catch (error) {
    if (error instanceof TsruncError) return error
    throw error
  } finally {
    expect(performance.now() - begin).toBeLessThan(PATIENCE)
  }
}

const HOSTS: readonly HostFacts[] = [FACTS_V1, FACTS_V2, FACTS_USER]

function expectClear(error: TsruncError | undefined): void {
  if (error === undefined) return
  expect(error.pointer, error.message).toMatch(/^\//)
  expect(error.message.length).toBeLessThan(1500)
}

type Node = Record<string, unknown>

/** Removes the value, or what it is missing from. */
function remove(config: unknown, pointer: string): void {
  const steps = fromPointer(pointer)
  const last = steps.at(-1) ?? ''
  const parent = valueAt(config, toPointer(steps.slice(0, -1))) as Node
  if (!Object.hasOwn(parent, last)) remove(config, toPointer(steps.slice(0, -1)))
  else if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else delete parent[last]
}

/** The configuration without what the host cannot have, so that the rest is planned. */
function planned(config: unknown, facts: HostFacts): Node {
  const copy = structuredClone(config) as Node
  for (let round = 0; round < 100; round += 1) {
    const error = outcome(JSON.stringify(copy), facts)
    if (error === undefined) return copy
    remove(copy, error.pointer)
  }
  throw new Error(`nothing is planned: ${outcome(JSON.stringify(copy), facts)?.message}`)
}

const EXAMPLES = HOSTS.map((facts) => ({ facts, config: planned(exampleConfig(), facts) }))

/** Whether the pointer's parent was left in the configuration. */
const isThere = (config: unknown, pointer: string): boolean =>
  valueAt(config, toPointer(fromPointer(pointer).slice(0, -1))) !== undefined

describe('a value that the validation takes', () => {
  test.each(Object.entries(PROPERTIES))('%s', { timeout: 120_000 }, (pattern, { accepts }) => {
    const pointer = examplePointer(pattern)
    const values = BAD_VALUES.filter(({ value, json }) => accepts(value) && json.length < 100_000)
    for (const { facts, config } of EXAMPLES) {
      if (!isThere(config, pointer)) continue
      for (const { json } of values) expectClear(outcome(withJson(config, pointer, json), facts))
    }
  })
})

/** Places of a configuration. */
function* pointers(value: unknown, prefix = ''): Iterable<string> {
  if (prefix !== '') yield prefix
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    yield* pointers(member, `${prefix}${toPointer([name])}`)
  }
}

/** A change of one place: another value, nothing, something from another place, or the list twice as long. */
type Change = readonly [kind: 'value' | 'remove' | 'copy' | 'repeat', where: number, what: number]

const someChange: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom('value' as const, 'remove' as const, 'copy' as const, 'repeat' as const),
  fc.nat(),
  fc.nat(),
)

const SHORT = BAD_VALUES.filter(({ json }) => json.length < 100_000)

/** The text of the configuration with the change. */
function changed(config: unknown, [kind, where, what]: Change): string {
  const places = [...pointers(config)]
  const place = places[where % places.length] ?? ''
  switch (kind) {
    case 'value':
      return withJson(config, place, SHORT[what % SHORT.length]?.json ?? 'null')
    case 'remove': {
      const copy = structuredClone(config)
      remove(copy, place)
      return JSON.stringify(copy)
    }
    case 'copy':
      return withJson(config, place, JSON.stringify(valueAt(config, places[what % places.length] ?? '')))
    case 'repeat': {
      const value = valueAt(config, place)
      return withJson(config, place, JSON.stringify(Array.isArray(value) ? [...value, ...value] : [value, value]))
    }
  }
}

/** As JSON.parse reads it: what a second change starts from need not be exact. */
const apply = (config: unknown, changes: readonly Change[]): string =>
  changes.reduce((text, change) => changed(JSON.parse(text), change), JSON.stringify(config))

/** Configurations that real engines wrote: TSRUNC_BUNDLES is a directory of them. */
const DIRECTORY = process.env['TSRUNC_BUNDLES']
const BUNDLES =
  DIRECTORY === undefined
    ? []
    : readdirSync(DIRECTORY)
        .filter((name) => name.endsWith('.json') && !name.startsWith('exec-process-'))
        .map((name) => [name, JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8'))] as const)

const SEEDS = [...EXAMPLES.map(({ config }, index) => [`the example of host ${index}`, config] as const), ...BUNDLES]

describe('a configuration with some changes', () => {
  test.each(SEEDS)('%s', { timeout: 300_000 }, (_name, config) => {
    const host = fc.constantFrom(...HOSTS)
    const changes = fc.array(someChange, { minLength: 1, maxLength: 4 })
    const runs = Number(process.env['FUZZ_RUNS'] ?? '300')
    fc.assert(
      fc.property(host, changes, (facts, list) => {
        expectClear(outcome(apply(config, list), facts))
      }),
      { numRuns: runs },
    )
  })
})
