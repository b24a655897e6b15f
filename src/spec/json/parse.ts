import { isUtf8 } from 'node:buffer'
import { JsonError, MAX_DEPTH, parseExact } from './exact'
import { Lines } from './position'

const ESCAPES = /\\[\s\S]/g
/** Every string of a JSON text without escapes, names included. */
const STRINGS = /"[^"]*"/g
/** An integer that may be beyond 2^53, or a number with an exponent, in a text without its strings. */
const WIDE_NUMBER = /\d{16}|\d[eE]/

/** Bytes of a text beyond those that engines write. */
const LARGE = 1 << 20

export interface JsonDocument {
  readonly text: string
  /** Integers beyond 2^53 are bigints. */
  readonly value: unknown
}

/**
 * Parses UTF-8 JSON (RFC 8259; glossary.md "JSON": "JSON objects MUST NOT include duplicate names").
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
    if (bytes.byteLength > LARGE && nestsTooDeep(text)) parseExact(text)
    value = JSON.parse(text)
  } catch (cause) {
    if (cause instanceof JsonError) throw cause
    // Not JSON: the exact parser says where and why.
    parseExact(text)
    throw new JsonError('json-syntax', String(cause), START)
  }
  const names = typeof value === 'object' && value !== null ? countNames(value, text) : 0
  const bare = (text.includes('\\') ? text.replace(ESCAPES, '') : text).replace(STRINGS, '')
  if (WIDE_NUMBER.test(bare) || bare.split(':').length - 1 !== names) value = parseExact(text)
  return { text, value }
}

/** A text of which everything that is wrong was looked for. */
export interface JsonInspection {
  /** Without a byte order mark; U+FFFD stands for what is not UTF-8. */
  readonly text: string
  /** Undefined where the text is not JSON. */
  readonly value: unknown
  readonly errors: readonly JsonError[]
}

/** Parses as parseJson, and goes on behind every error that leaves a text to read. */
export function inspectJson(bytes: Uint8Array): JsonInspection {
  try {
    return { ...parseJson(bytes), errors: [] }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
  }
  const errors: JsonError[] = []
  const note = (error: JsonError): void => {
    errors.push(error)
  }
  const text = readText(bytes, note)
  try {
    return { text, value: text === '' ? undefined : parseExact(text, { duplicate: note }), errors }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return { text, value: undefined, errors: [...errors, error] }
  }
}

const START = { offset: 0, position: { line: 1, column: 1 } } as const

function decode(bytes: Uint8Array): string {
  return readText(bytes, (error) => {
    throw error
  })
}

/** The text of the bytes, after `fail` was told what is wrong with them. */
function readText(bytes: Uint8Array, fail: (error: JsonError) => void): string {
  if (bytes.byteLength === 0) fail(new JsonError('json-syntax', 'the file is empty', START))
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const isMarked = text.charCodeAt(0) === 0xfeff
  if (!isUtf8(bytes)) fail(notUtf8(bytes, text, isMarked ? 1 : 0))
  if (!isMarked) return text
  fail(
    new JsonError('json-bom', 'the text begins with a byte order mark', {
      ...START,
      suggestion: 'save the file as UTF-8 without one',
    }),
  )
  return text.slice(1)
}

/** `skipped`: the length of a byte order mark, which is none of the text's characters. */
function notUtf8(bytes: Uint8Array, text: string, skipped: number): JsonError {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  const suggestion = isUtf16 ? 'it looks like UTF-16: save the file as UTF-8' : 'save the file as UTF-8'
  const offset = isUtf16 ? 0 : firstBadCharacter(bytes, text) - skipped
  const position = new Lines(text.slice(skipped)).positionAt(offset)
  return new JsonError('json-encoding', 'the text is not UTF-8', { offset, position, suggestion })
}

/** The offset of the first character that is not UTF-8: decoding puts U+FFFD there, which the bytes do not hold. */
function firstBadCharacter(bytes: Uint8Array, text: string): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  let byte = 0
  for (const good of text.split('\ufffd')) {
    offset += good.length
    byte += Buffer.byteLength(good)
    if (buffer.toString('latin1', byte, byte + 3) !== '\xef\xbf\xbd') break
    offset += 1
    byte += 3
  }
  return offset
}

/**
 * Whether more lists and objects are open at some place than MAX_DEPTH. JSON.parse keeps some fifty bytes for each that
 * is, so that a few megabytes of brackets would end node. Brackets within strings may count: the exact parser judges.
 */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    // '[' and '{', ']' and '}' differ in this bit.
    if ((code | 0x20) === 0x7b) depth += 1
    else if ((code | 0x20) === 0x7d) depth -= 1
    if (depth > MAX_DEPTH) return true
  }
  return false
}

/** The number of members of all objects in the value. Loops by index: this runs once, before V8 has compiled it. */
function countNames(value: object, text: string, depth = 0): number {
  if (depth >= MAX_DEPTH) {
    parseExact(text)
    throw new JsonError('json-depth', `values are nested more than ${MAX_DEPTH} deep`, START)
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
