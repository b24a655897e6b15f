import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { ProtobufWriter } from './protobuf'

const message = protobuf
  .parse(
    'syntax = "proto2"; message M { optional int32 n = 1; optional bool b = 2; optional string s = 63; repeated bytes d = 16; }',
  )
  .root.lookupType('M')

const decode = (bytes: Uint8Array): object => message.toObject(message.decode(bytes), { bytes: Array })

test('another implementation reads what is written', () => {
  for (const n of [0, 1, 127, 128, 300, 2 ** 31 - 1, -1, -(2 ** 31)]) {
    expect(decode(new ProtobufWriter().number(1, n).finish())).toEqual({ n })
  }
  const text = `${'ä'.repeat(200)}/path`
  const written = new ProtobufWriter()
    .flag(2, true)
    .text(63, text)
    .bytes(16, Uint8Array.of(0, 255))
    .bytes(16, new Uint8Array())
  expect(decode(written.finish())).toEqual({ b: true, s: text, d: [[0, 255], []] })
})

test('a flag that is not set is left out', () => {
  expect(new ProtobufWriter().flag(2, false).finish()).toHaveLength(0)
})
