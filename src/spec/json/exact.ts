import { quote } from '../../errors'
import { syntaxHint } from './hint'
import { type Step, toPointer } from './pointer'
import { Lines, type Position } from './position'

/** Nesting beyond this is refused. config.json of the spec nests 7 deep; Go's decoder stops at 10,000. */
export const MAX_DEPTH = 1000

/** What is wrong with a text; permanent, `tsrunc validate` prints them as rules. */
export type JsonErrorKind = 'json-bom' | 'json-depth' | 'json-duplicate' | 'json-encoding' | 'json-syntax'

export interface JsonErrorPlace {
  /** UTF-16 code units from 0. */
  readonly offset: number
  readonly position: Position
  /** JSON pointer of what is refused, or '' where the text is not JSON. */
  readonly pointer?: string
  /** What to do about it. */
  readonly suggestion?: string | undefined
}

/** A text that is not JSON (RFC 8259), or that this runtime refuses to read. */
export class JsonError extends Error {
  readonly kind: JsonErrorKind
  readonly offset: number
  readonly position: Position
  readonly pointer: string
  readonly suggestion: string | undefined

  constructor(kind: JsonErrorKind, message: string, { offset, position, pointer = '', suggestion }: JsonErrorPlace) {
    super(message)
    this.name = 'JsonError'
    this.kind = kind
    this.offset = offset
    this.position = position
    this.pointer = pointer
    this.suggestion = suggestion
  }
}

/** Is told of what is read. */
export interface Listener {
  /** A value before it is read: its path, the offsets of its first character and of its name, if it has one. */
  readonly value?: (path: readonly Step[], offset: number, nameOffset: number | undefined) => void
  /** A name that stands twice; without this listener it is thrown. The last value of the name is the one that counts. */
  readonly duplicate?: (error: JsonError) => void
}

/**
 * A piece of a string: characters from the space on without '"' and '\\', and escapes. A repetition of choices is bounded,
 * for the engine keeps a way back for each of them.
 */
const STRING_PIECE = /[ !#-[\]-\uffff]+|(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*){1,500}/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const SPACE = /[ \t\r\n]*/y
const WORD = /true|false|null/y
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }

/**
 * Parses JSON exactly: an integer that a number cannot hold is a bigint, a name that stands twice in an object is an
 * error, and every error has a position. Some ten times slower than JSON.parse: see parse.ts for when it is needed.
 *
 * @throws JsonError
 */
export const parseExact = (text: string, listener: Listener = {}): unknown => new Parser(text, listener).document()

/** Where too deep a nesting begins to be one: no property of config.json is deeper. */
const KNOWN_DEPTH = 7

/** The beginning of a path, up to its last name. */
function outermost(path: readonly Step[]): readonly Step[] {
  const start = path.slice(0, KNOWN_DEPTH)
  return start.slice(0, start.findLastIndex((step) => typeof step === 'string') + 1)
}

class Parser {
  readonly #text: string
  readonly #listener: Listener
  readonly #path: Step[] = []
  /** Made for the first error. */
  #lines: Lines | undefined
  #at = 0

  constructor(text: string, listener: Listener) {
    this.#text = text
    this.#listener = listener
  }

  document(): unknown {
    const value = this.#value()
    if (this.#at < this.#text.length) throw this.#unexpected('the end')
    return value
  }

  /** A value with the white space around it. */
  #value(nameOffset?: number): unknown {
    this.#take(SPACE)
    this.#listener.value?.(this.#path, this.#at, nameOffset)
    const value = this.#bareValue()
    this.#take(SPACE)
    return value
  }

  #bareValue(): unknown {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object())
      case '[':
        return this.#nested(() => this.#array())
      case '"':
        return this.#string()
      case 't':
      case 'f':
      case 'n': {
        const word = this.#take(WORD)
        if (word === undefined) throw this.#unexpected('a value')
        return WORDS[word]
      }
      default: {
        const token = this.#take(NUMBER)
        if (token === undefined) throw this.#unexpected('a value')
        return exactNumber(token)
      }
    }
  }

  #nested<T>(read: () => T): T {
    if (this.#path.length >= MAX_DEPTH) {
      throw new JsonError('json-depth', `values are nested more than ${MAX_DEPTH} deep`, {
        ...this.#place(this.#at),
        pointer: toPointer(outermost(this.#path)),
      })
    }
    this.#at += 1
    return read()
  }

  #array(): unknown[] {
    const array: unknown[] = []
    this.#take(SPACE)
    if (this.#skip(']')) return array
    do {
      this.#path.push(array.length)
      array.push(this.#value())
      this.#path.pop()
    } while (this.#skip(','))
    if (!this.#skip(']')) throw this.#unexpected("',' or ']'")
    return array
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    const offsets = new Map<string, number>()
    this.#take(SPACE)
    if (this.#skip('}')) return object
    do {
      this.#member(object, offsets)
    } while (this.#skip(','))
    if (!this.#skip('}')) throw this.#unexpected("',' or '}'")
    return object
  }

  #member(object: Record<string, unknown>, offsets: Map<string, number>): void {
    this.#take(SPACE)
    const offset = this.#at
    if (this.#text[offset] !== '"') throw this.#unexpected('a name in double quotes')
    const name = this.#string()
    const first = offsets.get(name)
    if (first !== undefined) this.#duplicate(name, first, offset)
    offsets.set(name, offset)
    this.#take(SPACE)
    if (!this.#skip(':')) throw this.#unexpected("':'")
    this.#path.push(name)
    // Not `object[name] =`: that would set the prototype for the name __proto__.
    Object.defineProperty(object, name, {
      value: this.#value(offset),
      enumerable: true,
      configurable: true,
      writable: true,
    })
    this.#path.pop()
  }

  #string(): string {
    const start = this.#at
    this.#at += 1
    while (this.#take(STRING_PIECE) !== undefined);
    if (!this.#skip('"')) throw this.#badString()
    const token = this.#text.slice(start, this.#at)
    return token.includes('\\') ? String(JSON.parse(token)) : token.slice(1, -1)
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at
    const match = token.exec(this.#text)?.[0]
    if (match !== undefined) this.#at += match.length
    return match
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #position(offset: number): Position {
    this.#lines ??= new Lines(this.#text)
    return this.#lines.positionAt(offset)
  }

  #place(offset: number): JsonErrorPlace {
    return { offset, position: this.#position(offset) }
  }

  #unexpected(wanted: string): JsonError {
    const found = this.#text.codePointAt(this.#at)
    const name = found === undefined ? 'the text ends' : `found ${JSON.stringify(String.fromCodePoint(found))}`
    return new JsonError('json-syntax', `expected ${wanted}, but ${name}`, {
      ...this.#place(this.#at),
      suggestion: syntaxHint(this.#text, this.#at, wanted),
    })
  }

  #duplicate(name: string, first: number, second: number): void {
    const { line, column } = this.#position(first)
    const error = new JsonError(
      'json-duplicate',
      `the name ${quote(name)} stands twice in one object (first at line ${line}, column ${column})`,
      { ...this.#place(second), pointer: toPointer([...this.#path, name]) },
    )
    if (this.#listener.duplicate === undefined) throw error
    this.#listener.duplicate(error)
  }

  /** What is wrong where a string's good part ended without a quote. */
  #badString(): JsonError {
    const place = this.#place(this.#at)
    const found = this.#text[this.#at]
    if (found === undefined) return new JsonError('json-syntax', 'the text ends within a string', place)
    if (found === '\\') return new JsonError('json-syntax', 'a string has an escape that JSON does not know', place)
    const code = found.charCodeAt(0).toString(16).padStart(4, '0')
    return new JsonError('json-syntax', `a string holds the control character U+${code}`, {
      ...place,
      suggestion: `write it as \\u${code}`,
    })
  }
}

/** The value of a number's text, as a bigint where it is an integer (`1e19` is one) that a number does not hold. */
function exactNumber(token: string): number | bigint {
  const value = Number(token)
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return value
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const zeros = Number(exponent) - fraction.length
  // 2^64 has 20 digits: what is longer, or has a fraction, stays a number that no integer type accepts.
  if (zeros < 0 || zeros > 40) return value
  return BigInt(`${sign}${whole}${fraction}${'0'.repeat(zeros)}`)
}
