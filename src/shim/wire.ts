/**
 * Messages of protocol buffers by tables: a field has a number and a type, and TypeScript's type of a message follows from its
 * table. The bytes are @bufbuild/protobuf's. Proto3: a field that is not there has its type's zero value, one with the zero
 * value is not written, unknown fields are passed over.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** How a field's value is read from bytes and written to them. `T`: of a message, with all its repetitions. */
export interface Field<T> {
  readonly number: number
  readonly zero: () => T
  readonly wire: WireType
  /** Adds one occurrence of the field to what was read before. */
  readonly read: (reader: BinaryReader, before: T) => T
  /** Writes all occurrences, tags too. */
  readonly write: (writer: BinaryWriter, value: T) => void
}

// biome-ignore lint/suspicious/noExplicitAny: a table's fields have types of their own, which Message takes out again
type AnyField = Field<any>
export type Table = Readonly<Record<string, AnyField>>
export type Message<T extends Table> = { readonly [K in keyof T]: T[K] extends Field<infer V> ? V : never }

function scalar<T>(
  number: number,
  wire: WireType,
  zero: T,
  read: (reader: BinaryReader) => T,
  write: (writer: BinaryWriter, value: T) => void,
): Field<T> {
  return {
    number,
    wire,
    zero: () => zero,
    read,
    write: (writer, value) => {
      if (value !== zero) write(writer.tag(number, wire), value)
    },
  }
}

export const string = (number: number): Field<string> =>
  scalar(
    number,
    WireType.LengthDelimited,
    '',
    (reader) => reader.string(),
    (writer, value) => writer.string(value),
  )

export const bool = (number: number): Field<boolean> =>
  scalar(
    number,
    WireType.Varint,
    false,
    (reader) => reader.bool(),
    (writer, value) => writer.bool(value),
  )

export const uint32 = (number: number): Field<number> =>
  scalar(
    number,
    WireType.Varint,
    0,
    (reader) => reader.uint32(),
    (writer, value) => writer.uint32(value),
  )

export const int32 = (number: number): Field<number> =>
  scalar(
    number,
    WireType.Varint,
    0,
    (reader) => reader.int32(),
    (writer, value) => writer.int32(value),
  )

export const int64 = (number: number): Field<bigint> =>
  scalar(
    number,
    WireType.Varint,
    0n,
    (reader) => BigInt(reader.int64()),
    (writer, value) => writer.int64(value),
  )

export const uint64 = (number: number): Field<bigint> =>
  scalar(
    number,
    WireType.Varint,
    0n,
    (reader) => BigInt(reader.uint64()),
    (writer, value) => writer.uint64(value),
  )

const NO_BYTES = new Uint8Array()

export const bytes = (number: number): Field<Uint8Array> => ({
  number,
  wire: WireType.LengthDelimited,
  zero: () => NO_BYTES,
  read: (reader) => reader.bytes(),
  write: (writer, value) => {
    if (value.length > 0) writer.tag(number, WireType.LengthDelimited).bytes(value)
  },
})

/** A message in a field, which may not be there. */
export const message = <T extends Table>(number: number, table: T): Field<Message<T> | undefined> => ({
  number,
  wire: WireType.LengthDelimited,
  zero: () => undefined,
  read: (reader) => decode(table, reader.bytes()),
  write: (writer, value) => {
    if (value !== undefined) writer.tag(number, WireType.LengthDelimited).bytes(encode(table, value))
  },
})

export const messages = <T extends Table>(number: number, table: T): Field<readonly Message<T>[]> => ({
  number,
  wire: WireType.LengthDelimited,
  zero: () => [],
  read: (reader, before) => [...before, decode(table, reader.bytes())],
  write: (writer, values) => {
    for (const value of values) writer.tag(number, WireType.LengthDelimited).bytes(encode(table, value))
  },
})

export const strings = (number: number): Field<readonly string[]> => ({
  number,
  wire: WireType.LengthDelimited,
  zero: () => [],
  read: (reader, before) => [...before, reader.string()],
  write: (writer, values) => {
    for (const value of values) writer.tag(number, WireType.LengthDelimited).string(value)
  },
})

/** Numbers in one packed field, as proto3 writes them. */
export const uint64s = (number: number): Field<readonly bigint[]> => ({
  number,
  wire: WireType.LengthDelimited,
  zero: () => [],
  read: (reader, before) => {
    const values = [...before]
    for (const end = reader.uint32() + reader.pos; reader.pos < end; ) values.push(BigInt(reader.uint64()))
    return values
  },
  write: (writer, values) => {
    if (values.length === 0) return
    writer.tag(number, WireType.LengthDelimited).fork()
    for (const value of values) writer.uint64(value)
    writer.join()
  },
})

export function encode<T extends Table>(table: T, value: Partial<Message<T>>): Uint8Array {
  const writer = new BinaryWriter()
  for (const [name, field] of Object.entries(table)) {
    const given: unknown = value[name]
    if (given !== undefined) field.write(writer, given)
  }
  return writer.finish()
}

/** @throws Error where the bytes are no message */
export function decode<T extends Table>(table: T, bytes: Uint8Array): Message<T> {
  const found: Record<string, unknown> = {}
  const names = new Map<number, string>()
  for (const [name, field] of Object.entries(table)) {
    found[name] = field.zero()
    names.set(field.number, name)
  }
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag()
    const name = names.get(number)
    const field = name === undefined ? undefined : table[name]
    if (name === undefined || field === undefined || field.wire !== wire) reader.skip(wire, number)
    else found[name] = field.read(reader, found[name])
  }
  return found as Message<T>
}
