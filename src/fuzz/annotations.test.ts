/** Annotations that act: values of any form, and GVariant's text format against values that were written in it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DbusValue, signatureOf } from '../plan/cgroup/dbus'
import { GvariantError, parseGvariant } from '../plan/cgroup/gvariant'
import { BASE } from '../plan/fixtures'
import { holds } from './holds'
import { expectClear, HOSTS, outcome } from './outcome'

const bytesOf = (annotations: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(JSON.stringify({ ...BASE, annotations }))

/** Without privileges this configuration is refused whatever its annotations are. */
const ROOT = HOSTS.filter(({ facts }) => facts.euid === 0)

const NAMES = [
  'org.opencontainers.image.stopSignal',
  'run.oci.hooks.stdout',
  'run.oci.hooks.stderr',
  'run.oci.keep_original_groups',
  'run.oci.pidfd_receiver',
  'run.oci.systemd.subgroup',
  'run.oci.delegate-cgroup',
  'run.oci.handler',
  'run.oci.seccomp_fail_unknown_syscall',
  'run.oci.seccomp_bpf_data',
  'run.oci.mount_context_type',
]
const PROPERTIES = [
  'TimeoutStopUSec',
  'TimeoutStopSec',
  'CPUWeight',
  'Description',
  'After',
  'Delegate',
  'MemoryMax',
  'x',
  '',
]

const texts = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    'true',
    'false',
    'TRUE',
    '/run/x',
    '/run/../x',
    'TERM',
    'a/b',
    '..',
    '1e400',
    '-1',
    'nan',
    'inf',
  ),
  fc.string({ maxLength: 12 }),
  fc
    .array(fc.constantFrom(...'[](),<>@"\'-+.0123456789eusdbav \\', 'uint64 ', 'true', 'byte '), { maxLength: 16 })
    .map((list) => list.join('')),
)

describe('annotations', () => {
  test('of every name and value are a plan, or refused by their own pointer', () => {
    const names = fc.oneof(
      fc.constantFrom(...NAMES),
      fc.constantFrom(...PROPERTIES).map((name) => `org.systemd.property.${name}`),
    )
    holds(
      3000,
      fc.tuple(fc.dictionary(names, texts, { maxKeys: 3 }), fc.constantFrom(...ROOT)),
      ([annotations, host]) => {
        const result = outcome(bytesOf(annotations), host)
        if (!('error' in result)) return
        expectClear(result.error)
        expect(Object.keys(annotations).map((name) => `/annotations/${name}`)).toContain(result.error.pointer)
      },
    )
  })

  test('of names that nobody knows are kept as they are, and change nothing', () => {
    const names = fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'toString', 'a/b~c'),
      fc.string({ minLength: 1, maxLength: 12 }),
    )
    holds(1000, fc.tuple(names, texts), ([name, value]) => {
      const pairs = Object.fromEntries([[name, value]])
      for (const host of ROOT) {
        const result = outcome(bytesOf(pairs), host)
        if ('error' in result) throw result.error
        expect(Buffer.from(result.plan).includes(`${JSON.stringify(name)}: ${JSON.stringify(value)}`)).toBe(true)
      }
    })
  })
})

/** A value and one of the texts that GLib's "GVariant Text Format" has for it. `typed`: its type is said around it. */
interface Written {
  readonly value: DbusValue
  readonly text: string
}

const KEYWORDS: Readonly<Record<string, string>> = {
  b: 'boolean',
  y: 'byte',
  n: 'int16',
  q: 'uint16',
  i: 'int32',
  u: 'uint32',
  x: 'int64',
  t: 'uint64',
  d: 'double',
  s: 'string',
  o: 'objectpath',
  g: 'signature',
}
const INTEGERS = {
  y: [0n, 255n],
  n: [-32768n, 32767n],
  q: [0n, 65535n],
  i: [-(2n ** 31n), 2n ** 31n - 1n],
  u: [0n, 2n ** 32n - 1n],
  x: [-(2n ** 63n), 2n ** 63n - 1n],
  t: [0n, 2n ** 64n - 1n],
} as const

const quoted = (text: string, mark: string): string =>
  mark +
  [...text]
    .map((character) =>
      character === mark || character === '\\' ? `\\${character}` : character === '\n' ? '\\n' : character,
    )
    .join('') +
  mark

const integers: fc.Arbitrary<Written> = fc
  .constantFrom(...(Object.keys(INTEGERS) as (keyof typeof INTEGERS)[]))
  .chain((type) => {
    const [least, most] = INTEGERS[type]
    return fc
      .tuple(fc.oneof(fc.bigInt(least, most), fc.constantFrom(least, most, 0n)), fc.boolean())
      .map(([value, hex]) => {
        const digits =
          value < 0n ? `-${hex ? `0x${(-value).toString(16)}` : -value}` : hex ? `0x${value.toString(16)}` : `${value}`
        const kept = type === 'x' || type === 't' ? { type, value } : { type, value: Number(value) }
        return { value: kept, text: `${KEYWORDS[type]} ${digits}` }
      })
  })
const letters = fc.string({ maxLength: 8 }).filter((text) => !text.includes('\0'))
const strings: fc.Arbitrary<Written> = fc
  .tuple(fc.constantFrom('s', 'o', 'g'), letters, fc.constantFrom('"', "'"), fc.boolean())
  .map(([type, value, mark, annotated]) => ({
    value: { type: type as 's', value },
    text:
      type === 's' && annotated
        ? quoted(value, mark)
        : annotated
          ? `@${type} ${quoted(value, mark)}`
          : `${KEYWORDS[type]}${quoted(value, mark)}`,
  }))
const booleans: fc.Arbitrary<Written> = fc
  .boolean()
  .map((value) => ({ value: { type: 'b', value }, text: String(value) }))
const doubles: fc.Arbitrary<Written> = fc
  .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(999))
  .map(([whole, part]) => ({ value: { type: 'd', value: Number(`${whole}.${part}`) }, text: `${whole}.${part}` }))

const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    integers,
    strings,
    booleans,
    doubles,
    tie('written').map(({ value, text }): Written => ({ value: { type: 'v', value }, text: `< ${text}>` })),
    fc.array(tie('written'), { minLength: 1, maxLength: 3 }).map(
      (items): Written => ({
        value: { type: '(', items: items.map(({ value }) => value) },
        text: `(${items.map(({ text }) => text).join(', ')}${items.length === 1 ? ',' : ''})`,
      }),
    ),
    fc.tuple(tie('written'), fc.nat(3)).map(([{ value, text }, some]): Written => {
      const element = signatureOf(value)
      // A type that is said has no tuple within a tuple: no property of systemd has one.
      const count = /\(.*\(/.test(element) ? some + 1 : some
      const items = Array.from({ length: count }, () => value)
      return {
        value: { type: 'a', element, items },
        text: count === 0 ? `@a${element} []` : `[${items.map(() => text).join(',')}]`,
      }
    }),
  ),
}))

describe('GVariant text', () => {
  test('that was written of a value is read as that value', () => {
    holds(3000, written, ({ value, text }) => {
      expect(parseGvariant(` ${text} `)).toEqual(value)
    })
  })
  test('of any form is a value or a GvariantError', () => {
    holds(5000, texts, (text) => {
      try {
        signatureOf(parseGvariant(text))
      } catch (error) {
        if (!(error instanceof GvariantError)) throw error
      }
    })
  })
})
