import { isUtf8 } from 'node:buffer'
import { JsonError, MAX_DEPTH, parseExact } from './exact'
import { fromPointer } from './pointer'
import { type Position, positionAt } from './position'

const ESCAPES = /\\[\s\S]/g
/** Every string of a JSON text without escapes, names included. */
const STRINGS = /"[^"]*"/g
/** An integer that may be beyond 2^53, or a number with an exponent, in a text without its strings. */
const WIDE_NUMBER = /\d{16}|\d[eE]/

export interface JsonDocument {
  readonly text: string
  /** Integers beyond 2^53 are bigints. */
  readonly value: unknown
}

/**
 * Parses UTF-8 JSON (RFC 8259; config.md: "JSON objects MUST NOT contain duplicate names").
 *
 * JSON.parse does the work; what it would get wrong is proved absent from the text at native speed, or else the exact
 * parser is used: names that stand twice (the colons outside of strings are the names of the text: fewer names in the
 * value mean that one was dropped) and integers beyond 2^53 (a run of 16 digits).
 *
 * @throws JsonError
 */
export function parseJson(bytes: Uint8Array): JsonDocument {
  const text = decode(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    // Not JSON: the exact parser says where and why.
    parseExact(text)
    throw new JsonError(String(cause), { line: 1, column: 1 })
  }
  const names = typeof value === 'object' && value !== null ? countNames(value, text) : 0
  const bare = (text.includes('\\') ? text.replace(ESCAPES, '') : text).replace(STRINGS, '')
  if (WIDE_NUMBER.test(bare) || bare.split(':').length - 1 !== names) value = parseExact(text)
  return { text, value }
}

function decode(bytes: Uint8Array): string {
  const start = { line: 1, column: 1 }
  if (bytes.byteLength === 0) throw new JsonError('the file is empty', start)
  if (!isUtf8(bytes)) throw new JsonError('the text is not UTF-8', badByte(bytes))
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (text.charCodeAt(0) === 0xfeff) {
    throw new JsonError('the text begins with a byte order mark: save the file as UTF-8 without one', start)
  }
  return text
}

/** The position of the first byte that is not UTF-8: decoding puts U+FFFD there, which the bytes do not hold. */
function badByte(bytes: Uint8Array): Position {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString('utf8')
  let offset = 0
  let byte = 0
  for (const good of text.split('\ufffd')) {
    offset += good.length
    byte += Buffer.byteLength(good)
    if (buffer.toString('latin1', byte, byte + 3) !== '\xef\xbf\xbd') break
    offset += 1
    byte += 3
  }
  return positionAt(text, offset)
}

/** The number of members of all objects in the value. Loops by index: this runs once, before V8 has compiled it. */
function countNames(value: object, text: string, depth = 0): number {
  if (depth >= MAX_DEPTH) {
    parseExact(text)
    throw new JsonError(`values are nested more than ${MAX_DEPTH} deep`, { line: 1, column: 1 })
  }
  const isArray = Array.isArray(value)
  const members: readonly unknown[] = isArray ? value : Object.values(value)
  let names = isArray ? 0 : members.length
  for (let index = 0; index < members.length; index += 1) {
    const member = members[index]
    if (typeof member === 'object' && member !== null) names += countNames(member, text, depth + 1)
  }
  return names
}

/** Where the value at a JSON pointer begins; or the nearest value around it that there is, as for a missing property. */
export function locate(text: string, pointer: string): Position {
  const target = fromPointer(pointer)
  let deepest = -1
  let offset = 0
  try {
    parseExact(text, (path, at) => {
      if (path.length <= deepest || path.some((step, index) => String(step) !== target[index])) return
      deepest = path.length
      offset = at
    })
  } catch (error) {
    // A text with a fault has the pointers before it all the same.
    if (!(error instanceof JsonError)) throw error
  }
  return positionAt(text, offset)
}
