import { describe, expect, test } from 'vitest'
import { TsruncError } from '../errors'
import { fullConfig, put, toJson } from './fixtures'
import { valueAt } from './json'
import { inspectSpec, loadSpec } from './load'
import { SCHEMAS } from './schema'
import { FORMS, type FormName } from './schema/forms'
import type { Schema } from './schema/schema'

const OPTIONS = { path: 'config.json' }

interface Property {
  readonly pointer: string
  readonly schema: Schema
  readonly required: boolean
}

/** Every property and element of the full config, with its schema. */
function* properties(schema: Schema, value: unknown, pointer: string, required: boolean): Iterable<Property> {
  if (schema.$ref !== undefined) {
    yield* properties(SCHEMAS[schema.$ref] ?? {}, value, pointer, required)
    return
  }
  if (pointer !== '') yield { pointer, schema, required }
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    const inner = schema.items ?? schema.properties?.[name] ?? schema.additionalProperties
    if (inner === undefined) throw new Error(`no schema for ${pointer}/${name}`)
    const isEntry = schema.items !== undefined || schema.additionalProperties !== undefined
    const isRequired = isEntry || (schema.required?.includes(name) ?? false)
    yield* properties(inner, member, `${pointer}/${name.replaceAll('/', '~1')}`, isRequired)
  }
}

const ALL = [...properties(SCHEMAS.config ?? {}, fullConfig(), '', true)]

/** Names of all properties that the schema of the config reaches. */
function named(schema: Schema, prefix: string): string[] {
  if (schema.$ref !== undefined) return named(SCHEMAS[schema.$ref] ?? {}, prefix)
  const inner = schema.items ?? schema.additionalProperties
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, member]) => [
      `${prefix}/${name}`,
      ...named(member, `${prefix}/${name}`),
    ]),
    ...(inner === undefined ? [] : named(inner, `${prefix}/*`)),
  ]
}

const INTEGER_RANGES: Partial<Record<FormName, readonly [bigint, bigint]>> = {
  int32: [-2147483648n, 2147483647n],
  uint32: [0n, 4294967295n],
  int64: [-9223372036854775808n, 9223372036854775807n],
  uint64: [0n, 18446744073709551615n],
  userId: [0n, 4294967294n],
  deviceNumber: [0n, 4294967295n],
  deviceNumberOrAny: [-1n, 4294967295n],
  oomScoreAdj: [-1000n, 1000n],
  ioPriority: [0n, 7n],
  nanoseconds: [0n, 999999999n],
  hookTimeout: [1n, 4294967295n],
  swappiness: [0n, 100n],
  cpuIdle: [0n, 1n],
  limit: [-1n, 9223372036854775807n],
  blockWeight: [0n, 1000n],
  seccompReturn: [0n, 65535n],
  syscallArgument: [0n, 5n],
  umask: [0n, 511n],
}

const BAD_STRINGS: Partial<Record<FormName, readonly unknown[]>> = {
  nonEmpty: ['', 1, true, []],
  absolutePath: ['', 'relative', './a', '../etc', 7],
  cpuList: ['a', '3-1', '1-', '-', '0x1', '1;2', 0, '8192', '0-8192', '0-31:2/4', ' ', ','],
  nodeList: ['a', '3-1', '1-', 0, '1024', '0-4294967295'],
  numberList: ['a', '3-1', '1-', '-', '0x1', '1;2', '0\n1', '0\t1', 0, '99999999999'],
  pageSize: ['', '2', '2mb', '0KB', '2 MB', '-2MB', 2],
  interfaceName: ['', 'a b', 'a/b', 'a:b', '.', '..', 'x'.repeat(16), 7],
  deviceAccess: ['x', 'rw ', 'R', 7],
}

const WRONG_TYPES: Readonly<Record<string, readonly unknown[]>> = {
  object: ['', 0, true, [], 'a\0b'],
  array: ['', 0, false, {}],
  string: [0, true, [], {}, 18446744073709551616n, 'a\0b', '\0'],
  boolean: ['true', 0, 1, [], {}],
}

/** Values that a property must refuse. */
function badValues({ form, type, enum: allowed, minItems }: Schema): readonly unknown[] {
  if (allowed !== undefined) return ['NOT_A_WORD', `${allowed[0]}\0`, allowed[0]?.replace(/.$/, '~'), 1, [], {}, true]
  if (form === undefined) return [...(WRONG_TYPES[type ?? ''] ?? []), ...(minItems === undefined ? [] : [[]])]
  const range = INTEGER_RANGES[form]
  if (range === undefined) return [...(BAD_STRINGS[form] ?? []), 'a\0b', {}]
  return [range[0] - 1n, range[1] + 1n, 2n ** 64n, -(2n ** 64n), 10n ** 30n, 1.5, '1', true, [], {}, '']
}

describe('the full config', () => {
  test('is valid, has every property, and keeps its integers', () => {
    const { spec, warnings } = loadSpec(toJson(fullConfig()), OPTIONS)
    expect(warnings).toEqual([])
    expect(spec).toEqual(fullConfig())
    const covered = new Set(ALL.map(({ pointer }) => pointer.replace(/\/\d+(?=\/|$)/g, '/*')))
    const maps = /^\/(annotations|linux\/(sysctl|netDevices)|linux\/resources\/(rdma|unified))\//
    const normal = new Set(
      [...covered].map((pointer) => pointer.replace(maps, '/$1/*/').replace(/\*\/[^/]*(\/|$)/, '*$1')),
    )
    const missing = named(SCHEMAS.config ?? {}, '').filter((name) => !covered.has(name) && !normal.has(name))
    // The names that enableMonitoring had are known, and a warning of their own.
    const others = /\/(rdma|netDevices|timeOffsets)\/|\/enable(CMT|MBM)$/
    expect(missing.filter((name) => !others.test(name))).toEqual([])
  })

  test('unknown properties are ignored wherever they are, whatever they hold', () => {
    const unknown = { a: [null, '\0', 1e300, { b: 2n ** 70n }], __proto: null }
    for (const { pointer, schema } of ALL) {
      if (schema.type !== 'object' || schema.additionalProperties !== undefined) continue
      // Clocks are the one place where a name of its own is a value (rules/namespaces.ts).
      if (pointer === '/linux/timeOffsets') continue
      const { faults } = inspectSpec(toJson(put(fullConfig(), `${pointer}/x-unknown`, unknown)))
      expect(faults, pointer).toEqual([])
    }
  })
})

describe('bad values of every property are refused by its name', () => {
  test.each(ALL.map((property) => [property.pointer, property] as const))('%s', (pointer, { schema, required }) => {
    const bad = badValues(schema)
    expect(bad.length).toBeGreaterThan(0)
    for (const value of bad) {
      const config = put(fullConfig(), pointer, value)
      expect(() => loadSpec(toJson(config), OPTIONS), JSON.stringify(String(value))).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', pointer }),
      )
    }
    const { value, faults } = inspectSpec(toJson(put(fullConfig(), pointer, null)))
    if (required) {
      expect(faults).toContainEqual(expect.objectContaining({ severity: 'error', pointer }))
    } else {
      expect(faults).toContainEqual(expect.objectContaining({ severity: 'warning', rule: 'null', pointer }))
      if (value !== undefined) expect(valueAt(value, pointer)).toBeUndefined()
    }
  })

  test.each(
    ALL.filter((property) => property.schema.form !== undefined).map(({ pointer, schema }) => [pointer, schema]),
  )('%s takes the ends of its range', (pointer, { form }) => {
    const range = form === undefined ? undefined : INTEGER_RANGES[form]
    if (range === undefined) return
    for (const value of range) {
      const { faults } = inspectSpec(toJson(put(fullConfig(), pointer, value)))
      expect(faults.filter(({ rule }) => Object.hasOwn(FORMS, rule))).toEqual([])
    }
  })

  test('names of maps', () => {
    for (const map of ['/annotations', '/linux/sysctl', '/linux/netDevices', '/linux/resources/unified']) {
      for (const name of ['', 'a\0b']) {
        const config = put(fullConfig(), map, { [name]: map === '/linux/netDevices' ? {} : '' })
        const error = failure(config)
        expect(error.pointer).toBe(`${map}/${name}`)
        expect(error.message).toContain('must have a name that is not empty and has no NUL')
      }
    }
  })
})

function failure(config: unknown): TsruncError {
  try {
    loadSpec(toJson(config), OPTIONS)
  } catch (error) {
    if (error instanceof TsruncError) return error
    throw error
  }
  throw new Error('the config was accepted')
}

describe('messages', () => {
  test.each([
    ['/process/rlimits/0/soft', 'abc', 'must be an integer from 0 to 18446744073709551615, not "abc"'],
    [
      '/process/rlimits/0/soft',
      2n ** 64n,
      'must be an integer from 0 to 18446744073709551615, not 18446744073709551616',
    ],
    ['/process/user/uid', -1, 'must be an integer from 0 to 4294967294, not -1'],
    ['/process/terminal', 'yes', 'must be true or false, not "yes"'],
    ['/process/cwd', undefined, 'is required, but missing'],
    ['/process/args', { a: 1 }, 'must be an array, not an object'],
    ['/process/args/1', 'a\0b', 'must not contain a NUL character (\\u0000)'],
    [
      '/linux/namespaces/0/type',
      'net',
      'must be one of cgroup, ipc, mount, network, pid, time, user, uts, not "net" (did you mean "network"?)',
    ],
    ['/linux/seccomp/syscalls/0/names', [], 'must have at least 1 entry'],
    [
      '/linux/resources/memory/limit',
      -2,
      'must be an integer from -1 to 9223372036854775807 (-1 is unlimited), not -2',
    ],
    ['/annotations/a~1b', 5, 'must be a string, not 5 (write "5", in quotes)'],
    ['/process/env', 'A=1', 'must be an array, not "A=1" (write ["A=1"])'],
    ['/process/terminal', 'true', 'must be true or false, not "true" (write true, without quotes)'],
    ['/process/user/uid', '0', 'must be an integer from 0 to 4294967294, not "0" (write 0, without quotes)'],
    ['/linux/seccomp/syscalls/0/action', 'allow', /not "allow" \(did you mean "SCMP_ACT_ALLOW"\?\)$/],
    ['/hostname', [1], 'must be a string, not an array'],
    ['/hostname', { long: 'x' }, 'must be a string, not an object'],
    ['/linux/rootfsPropagation', 'x'.repeat(1_000_000), /not "x{253}\.\.\."$/],
  ])('%s: %s', (pointer, value, message) => {
    const error = failure(put(fullConfig(), pointer, value))
    if (typeof message === 'string') expect(error.message).toBe(`config.json ${pointer}: ${message}`)
    else expect(error.message).toMatch(message)
    expect(error.pointer).toBe(pointer)
  })

  test.each([
    ['null', 'config.json: must be an object, not null'],
    ['[]', 'config.json: must be an object, not an array'],
    ['"a"', 'config.json: must be an object, not "a"'],
    ['5', 'config.json: must be an object, not 5'],
    ['{}', 'config.json /ociVersion: is required, but missing; 1 more error: see tsrunc validate'],
    [
      '{"ociVersion": null, "root": null}',
      'config.json /ociVersion: is required, but missing; 1 more error: see tsrunc validate',
    ],
    ['{"ociVersion": "1.0.0"}', 'config.json /root: is required, but missing'],
  ])('%s', (text, message) => {
    expect(() => loadSpec(Buffer.from(text), OPTIONS)).toThrow(expect.objectContaining({ message }))
  })
})
