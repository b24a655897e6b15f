import { describe, expect, test } from 'vitest'
import { type DbusValue, DbusWriter, dbusArray, dbusBoolean, dbusString, dbusStruct, dbusU32, dbusU64 } from './dbus'
import { parseGvariant } from './gvariant'

function bytes(...values: readonly DbusValue[]): string {
  const writer = new DbusWriter()
  for (const value of values) writer.write(value)
  return Buffer.from(writer.finish()).toString('hex')
}

describe('values as D-Bus marshals them', () => {
  test('a string has its length, and one NUL that is not counted', () => {
    expect(bytes(dbusString('foo'))).toBe('03000000666f6f00')
    expect(bytes(dbusString('é'))).toBe('02000000c3a900')
  })
  test('numbers stand at multiples of their size', () => {
    expect(bytes(dbusBoolean(true), dbusU64(2n))).toBe('01000000' + '00000000' + '0200000000000000')
    expect(bytes({ type: 'y', value: 1 }, { type: 'q', value: 2 }, dbusU32(3))).toBe('01000200' + '03000000')
    expect(bytes({ type: 'i', value: -1 })).toBe('ffffffff')
  })
  test('an array of structs is aligned to eight even where it is empty', () => {
    expect(bytes(dbusArray('(sv)', []))).toBe('0000000000000000')
  })
  test('the length of an array does not count what aligns its first item', () => {
    const item = dbusStruct(dbusString('a'), { type: 'v', value: dbusU32(7) })
    expect(bytes(dbusArray('(sv)', [item]))).toBe(
      '10000000' + '00000000' + '010000006100' + '017500' + '000000' + '07000000',
    )
  })
  test('the signature of an array in a variant', () => {
    expect(bytes({ type: 'v', value: dbusArray('u', [dbusU32(9)]) })).toBe('02617500' + '04000000' + '09000000')
  })
  test('what does not fit is an error', () => {
    expect(() => bytes({ type: 'y', value: 256 })).toThrow(RangeError)
    expect(() => bytes(dbusU64(-1n))).toThrow(RangeError)
  })
})

const VALUES: Readonly<Record<string, DbusValue>> = {
  true: { type: 'b', value: true },
  '15': { type: 'i', value: 15 },
  '-0x10': { type: 'i', value: -16 },
  'uint64 10000000': { type: 't', value: 10000000n },
  '@t 5': { type: 't', value: 5n },
  '1.5': { type: 'd', value: 1.5 },
  'double 2': { type: 'd', value: 2 },
  "'inactive-or-failed'": { type: 's', value: 'inactive-or-failed' },
  '"a\\"b\\u00e9"': { type: 's', value: 'a"bé' },
  "objectpath '/a'": { type: 'o', value: '/a' },
  "['a', 'b']": dbusArray('s', [dbusString('a'), dbusString('b')]),
  '@as []': dbusArray('s', []),
  "('a', uint32 1)": dbusStruct(dbusString('a'), dbusU32(1)),
  "@a(st) [('/dev/sda', 5)]": dbusArray('(st)', [dbusStruct(dbusString('/dev/sda'), dbusU64(5n))]),
  '<true>': { type: 'v', value: dbusBoolean(true) },
  '[byte 1, 2]': dbusArray('y', [
    { type: 'y', value: 1 },
    { type: 'y', value: 2 },
  ]),
}

test.each(Object.entries(VALUES))('GVariant text %s', (text, value) => {
  expect(parseGvariant(text)).toEqual(value)
})

const FAULTS = [
  '',
  'abc',
  "'open",
  '[]',
  '[1',
  "[1, 'a']",
  '3000000000',
  'byte 256',
  'uint32 -1',
  '1 2',
  '@zz 1',
  "@as ['a', 1]",
  '()',
  '@(st) (1)',
  `${'<'.repeat(20)}1`,
  "'\\u12'",
  '@t true',
  'uint64 uint32 1',
]

test.each(FAULTS)('GVariant text %s is refused', (text) => {
  expect(() => parseGvariant(text)).toThrow(expect.objectContaining({ name: 'Error' }))
})
