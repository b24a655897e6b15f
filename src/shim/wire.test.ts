import { parse } from 'protobufjs'
import { describe, expect, test } from 'vitest'
import * as m from './messages'
import {
  bool,
  bytes,
  decode,
  encode,
  int32,
  int64,
  message,
  messages,
  string,
  strings,
  uint32,
  uint64,
  uint64s,
} from './wire'

const TABLE = {
  name: string(1),
  yes: bool(2),
  small: uint32(3),
  below: int32(4),
  big: uint64(5),
  wide: int64(6),
  raw: bytes(7),
  one: message(8, { inner: string(1) }),
  many: messages(9, { inner: string(1) }),
  words: strings(10),
  numbers: uint64s(11),
}

/** The same for the other implementation. */
const PEER = parse(`syntax = "proto3";
  message Inner { string inner = 1; }
  message All {
    string name = 1; bool yes = 2; uint32 small = 3; int32 below = 4; uint64 big = 5; int64 wide = 6; bytes raw = 7;
    Inner one = 8; repeated Inner many = 9; repeated string words = 10; repeated uint64 numbers = 11;
  }`).root.lookupType('All')

const FULL = {
  name: 'ä',
  yes: true,
  small: 4294967295,
  below: -5,
  big: 2n ** 64n - 1n,
  wide: -(2n ** 63n),
  raw: new Uint8Array([0, 255]),
  one: { inner: 'x' },
  many: [{ inner: '' }, { inner: 'y' }],
  words: ['', 'b'],
  numbers: [0n, 2n ** 40n],
}

describe('messages by tables', () => {
  test('what is written is read again, also by another implementation', () => {
    const written = encode(TABLE, FULL)
    expect(decode(TABLE, written)).toEqual(FULL)
    const peer = PEER.toObject(PEER.decode(written), { longs: String, defaults: true })
    expect(peer).toMatchObject({ name: 'ä', yes: true, below: -5, big: '18446744073709551615', one: { inner: 'x' } })
    expect(peer['numbers']).toEqual(['0', '1099511627776'])
    // It writes numbers one by one, which nobody does to us.
    expect(decode(TABLE, new Uint8Array(PEER.encode(PEER.decode(written)).finish()))).toEqual({ ...FULL, numbers: [] })
  })

  test('what is not there has the zero value, and zero values are not written', () => {
    const zero = decode(TABLE, new Uint8Array())
    expect(zero).toMatchObject({ name: '', yes: false, small: 0, big: 0n, one: undefined, many: [], words: [] })
    expect(encode(TABLE, zero)).toHaveLength(0)
  })

  test('unknown fields are passed over; damaged ones are errors', () => {
    const written = encode(TABLE, FULL)
    expect(decode({ name: string(1) }, written)).toEqual({ name: 'ä' })
    for (const bad of [written.subarray(0, written.length - 1), new Uint8Array([0x0a, 0x7f]), new Uint8Array([0x08])]) {
      expect(() => decode(TABLE, bad)).toThrow()
    }
  })

  test('every prefix and every flipped byte of a request ends in a message or an error', () => {
    const written = encode(m.CreateTaskRequest, {
      id: 'a',
      rootfs: [{ type: 'bind', source: '/', target: '', options: ['ro'] }],
    })
    for (let i = 0; i < written.length; i += 1) {
      for (const bytes of [written.slice(0, i), written.with(i, (written[i] ?? 0) ^ 0xff)]) {
        try {
          expect(decode(m.CreateTaskRequest, bytes)).toHaveProperty('id')
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }
    }
  })
})
