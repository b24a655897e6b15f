/** config.json to plan: documents of the schema's grammar, right, nearly right, and damaged. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sampleConfigs } from '../../scripts/bundles/samples'
import { SCHEMAS } from '../spec/schema'
import type { Schema } from '../spec/schema/schema'
import { damaged, damages } from './damage'
import { documents, jsonOf } from './document'
import { holds } from './holds'
import {
  expectAgreement,
  expectBounded,
  expectClear,
  expectUnpolluted,
  HOSTS,
  type Host,
  type Outcome,
  outcome,
} from './outcome'

const host = fc.constantFrom(...HOSTS)
const RIGHT = documents({ wrong: 0, present: 2 })
const NEARLY = documents({ wrong: 2, present: 4 })

/** FUZZ_PLANS: a directory that gets the plans, for the decoder (native/tests/build decode). */
const PLANS = process.env['FUZZ_PLANS']
let kept = 0
function keep(plan: Uint8Array): void {
  if (PLANS === undefined || kept >= 2000) return
  mkdirSync(PLANS, { recursive: true })
  writeFileSync(join(PLANS, `grammar-${kept}`), plan)
  kept += 1
}

function check(bytes: Uint8Array, on: Host): Outcome {
  const first = outcome(bytes, on)
  if ('error' in first) expectClear(first.error)
  else {
    expectBounded(first.plan, bytes)
    keep(first.plan)
  }
  expectUnpolluted()
  return first
}

const same = (one: Outcome, other: Outcome): void => {
  if ('plan' in one && 'plan' in other) expect(Buffer.compare(one.plan, other.plan)).toBe(0)
  else expect('error' in other && other.error.message).toBe('error' in one && one.error.message)
}

describe('a document of the right types', () => {
  test('is planned, or refused by the pointer of a property; the same each time', () => {
    let planned = 0
    holds(400, fc.tuple(RIGHT, host), ([text, on]) => {
      const bytes = Buffer.from(text)
      const first = check(bytes, on)
      same(first, outcome(bytes, on))
      expectAgreement(bytes)
      planned += 'plan' in first ? 1 : 0
    })
    // If the grammar made nothing but faults, nothing would be tried of what stands behind the validation.
    expect(planned).toBeGreaterThan(80)
  })
})

describe('a document with something wrong in it', () => {
  test('is planned, or refused by the pointer of a property', () => {
    holds(1000, fc.tuple(NEARLY, host), ([text, on]) => {
      const bytes = Buffer.from(text)
      check(bytes, on)
      expectAgreement(bytes)
    })
  })
})

/** Places of all objects that are no maps: there the specification lets unknown properties be. */
function objects(
  value: unknown,
  schema: Schema,
  at: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  if (schema.$ref !== undefined) return objects(value, SCHEMAS[schema.$ref] ?? {}, at)
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item, index) => objects(item, schema.items ?? {}, [...at, index]))
  // Of clocks the specification has a closed list: another one is an error.
  const isOpen = schema.properties !== undefined && schema !== SCHEMAS['timeOffsets']
  const here = isOpen ? [at] : []
  const members = Object.entries(value).flatMap(([name, member]) =>
    objects(member, schema.properties?.[name] ?? schema.additionalProperties ?? {}, [...at, name]),
  )
  return [...here, ...members]
}

/** The text of `value`, with the text `more` as the first members of the object at `path`. */
function withMembers(value: unknown, path: readonly (string | number)[], more: string): string {
  const [step, ...rest] = path
  if (step === undefined) {
    const text = jsonOf(value)
    return text === '{}' ? `{${more}}` : `{${more},${text.slice(1)}`
  }
  const text = (member: unknown, key: string | number): string =>
    key === step ? withMembers(member, rest, more) : jsonOf(member)
  if (Array.isArray(value)) return `[${value.map((item, index) => text(item, index)).join(',')}]`
  const entries = Object.entries(value as object)
  return `{${entries.map(([name, member]) => `${JSON.stringify(name)}:${text(member, name)}`).join(',')}}`
}

describe('config.md "Extensibility": a property that the specification does not have', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length', 'x']
  /** What would count if it came to stand in the place of an object's own properties. */
  const evil = JSON.stringify({
    ociVersion: '9.9.9',
    hostname: 'polluted',
    path: '/polluted',
    terminal: true,
    limit: 1,
    args: ['polluted'],
    noNewPrivileges: true,
  })
  test('changes nothing, whatever its name and wherever it stands', () => {
    holds(400, fc.tuple(RIGHT, host, fc.constantFrom(...names), fc.nat()), ([text, on, name, where]) => {
      const value: unknown = JSON.parse(text)
      const places = objects(value, SCHEMAS['config'] ?? {})
      const place = places[where % places.length] ?? []
      const with_ = withMembers(value, place, `${JSON.stringify(name)}:${evil}`)
      expect(with_).not.toBe(jsonOf(value))
      same(outcome(Buffer.from(jsonOf(value)), on), check(Buffer.from(with_), on))
    })
  })
})

/** Configurations of the kinds that engines write, and those of TSRUNC_BUNDLES. */
function seeds(): readonly (readonly [string, string])[] {
  const own = [...sampleConfigs(['read', 'write', 'close', 'clone', 'clone3'])].map(
    ([name, config]) => [name, JSON.stringify(config)] as const,
  )
  const directory = process.env['TSRUNC_BUNDLES']
  if (directory === undefined) return own
  const files = readdirSync(directory).filter((name) => /^(?!exec-process-).*\.json$/.test(name))
  return [...own, ...files.map((name) => [name, readFileSync(join(directory, name), 'utf8')] as const)]
}

describe('a real configuration of which some bytes are damaged', () => {
  test.each(seeds())('%s', (_name, text) => {
    const bytes = Buffer.from(text)
    holds(150, fc.tuple(damages, host), ([changes, on]) => {
      const bad = damaged(bytes, changes)
      check(bad, on)
      expectAgreement(bad)
    })
  })
})
