import { type DbusInteger, type DbusValue, fitsInteger, signatureOf } from './dbus'

/** A text that is no value, with what is wrong about it. */
export class GvariantError extends Error {}

/** Keywords of GVariant's text format in front of a value, and their types. A handle has no meaning here. */
const KEYWORDS: Readonly<Record<string, string>> = {
  boolean: 'b',
  byte: 'y',
  int16: 'n',
  uint16: 'q',
  int32: 'i',
  uint32: 'u',
  int64: 'x',
  uint64: 't',
  double: 'd',
  string: 's',
  objectpath: 'o',
  signature: 'g',
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }

/** No property of systemd nests deeper. */
const DEEPEST = 8

const isInteger = (type: string): type is DbusInteger => /^[ynqiuxt]$/.test(type)

/** The first complete type of a signature. */
function firstType(signature: string): string {
  const first = signature.charAt(0)
  if (first === 'a') return `a${firstType(signature.slice(1))}`
  if (first !== '(') return first
  let depth = 0
  for (let at = 0; at < signature.length; at += 1) {
    if (signature[at] === '(') depth += 1
    if (signature[at] === ')') depth -= 1
    if (depth === 0) return signature.slice(0, at + 1)
  }
  return signature
}

/**
 * GVariant's text format ("GVariant Text Format" of GLib), as far as properties of systemd need it: booleans, numbers,
 * strings, arrays, tuples and variants, with type annotations. No dictionaries and no maybe types.
 */
class Parser {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  parse(): DbusValue {
    const value = this.value(undefined, 0)
    this.skip()
    if (this.at < this.text.length) throw new GvariantError(`there is more behind its end, at ${this.at}`)
    return value
  }

  /** `type`: what it must be, or undefined: what the text says by itself. */
  private value(type: string | undefined, depth: number): DbusValue {
    if (depth > DEEPEST) throw new GvariantError('it nests too deep')
    this.skip()
    const next = this.text[this.at]
    if (next === '@') return this.annotated(type, depth)
    if (next === '[') return this.array(type, depth)
    if (next === '(') return this.tuple(type, depth)
    if (next === '<') return this.variant(type, depth)
    if (next === "'" || next === '"') return this.string(type)
    const word = this.word()
    const keyword = Object.hasOwn(KEYWORDS, word) ? KEYWORDS[word] : undefined
    if (keyword !== undefined) return this.value(this.agreed(type, keyword), depth + 1)
    if (word === 'true' || word === 'false') {
      this.agreed(type, 'b')
      return { type: 'b', value: word === 'true' }
    }
    return this.number(word, type)
  }

  private annotated(type: string | undefined, depth: number): DbusValue {
    this.at += 1
    const signature = this.word()
    if (!/^a*(?:[ynqiuxtdbsogv]|\((?:a*[ynqiuxtdbsogv])+\))$/.test(signature)) {
      throw new GvariantError(`"@${signature}" is not a type that is understood`)
    }
    return this.value(this.agreed(type, signature), depth + 1)
  }

  private array(type: string | undefined, depth: number): DbusValue {
    if (type !== undefined && !type.startsWith('a')) throw new GvariantError(`an array stands where "${type}" has to`)
    let element = type?.slice(1)
    const items = this.list(']', () => {
      const item = this.value(element, depth + 1)
      element ??= signatureOf(item)
      return item
    })
    if (element === undefined) throw new GvariantError('of an empty array the type must be said, as in @as []')
    return { type: 'a', element, items }
  }

  private tuple(type: string | undefined, depth: number): DbusValue {
    if (type !== undefined && !type.startsWith('(')) throw new GvariantError(`a tuple stands where "${type}" has to`)
    let rest = type?.slice(1, -1)
    const items = this.list(')', () => {
      const wanted = rest === undefined ? undefined : firstType(rest)
      if (wanted === '') throw new GvariantError('a tuple has too many values')
      rest = rest?.slice(wanted?.length)
      return this.value(wanted, depth + 1)
    })
    if (items.length === 0 || (rest ?? '') !== '') throw new GvariantError('a tuple has too few values')
    return { type: '(', items }
  }

  private variant(type: string | undefined, depth: number): DbusValue {
    this.agreed(type, 'v')
    this.at += 1
    const value = this.value(undefined, depth + 1)
    this.expect('>')
    return { type: 'v', value }
  }

  private list(end: string, item: () => DbusValue): DbusValue[] {
    this.at += 1
    const items: DbusValue[] = []
    for (this.skip(); this.text[this.at] !== end; this.skip()) {
      items.push(item())
      this.skip()
      if (this.text[this.at] !== end) this.expect(',')
    }
    this.at += 1
    return items
  }

  private string(type: string | undefined): DbusValue {
    const wanted = type ?? 's'
    if (wanted !== 's' && wanted !== 'o' && wanted !== 'g') {
      throw new GvariantError(`a string stands where "${wanted}" has to`)
    }
    const quoteMark = this.text[this.at]
    this.at += 1
    let out = ''
    for (;;) {
      const character = this.text[this.at]
      if (character === undefined) throw new GvariantError('a string has no end')
      this.at += 1
      if (character === quoteMark) break
      out += character === '\\' ? this.escape() : character
    }
    if (out.includes('\0')) throw new GvariantError('a string has a NUL')
    return { type: wanted, value: out }
  }

  private escape(): string {
    const character = this.text[this.at] ?? ''
    this.at += 1
    const digits = character === 'u' ? 4 : character === 'U' ? 8 : 0
    if (digits === 0) return ESCAPES[character] ?? character
    const hex = this.text.slice(this.at, this.at + digits)
    const code = /^[0-9A-Fa-f]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : Number.NaN
    if (!(code <= 0x10ffff)) throw new GvariantError(`"\\${character}${hex}" is not a character`)
    this.at += digits
    return String.fromCodePoint(code)
  }

  private number(word: string, type: string | undefined): DbusValue {
    const isWhole = /^[-+]?(?:0x[0-9A-Fa-f]+|\d+)$/.test(word)
    if (!isWhole && !/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(word)) {
      throw new GvariantError(word === '' ? 'it is not complete' : `"${word.slice(0, 64)}" is not a value`)
    }
    const wanted = type ?? (isWhole ? 'i' : 'd')
    if (wanted === 'd') return { type: 'd', value: Number(word) }
    if (!isWhole || !isInteger(wanted)) throw new GvariantError(`"${word}" stands where "${wanted}" has to`)
    const value = /^-/.test(word) ? -BigInt(word.slice(1)) : BigInt(word.replace('+', ''))
    if (!fitsInteger(wanted, value)) throw new GvariantError(`${word} is out of range for type "${wanted}"`)
    return wanted === 'x' || wanted === 't' ? { type: wanted, value } : { type: wanted, value: Number(value) }
  }

  private agreed(type: string | undefined, said: string): string {
    if (type !== undefined && type !== said) throw new GvariantError(`"${said}" stands where "${type}" has to`)
    return said
  }

  private expect(character: string): void {
    this.skip()
    if (this.text[this.at] !== character) throw new GvariantError(`"${character}" is missing at ${this.at}`)
    this.at += 1
  }

  private skip(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1
  }

  private word(): string {
    const isSignature = this.text[this.at - 1] === '@'
    const pattern = isSignature ? /[a-z()]*/y : /[-+.\w]*/y
    pattern.lastIndex = this.at
    const word = pattern.exec(this.text)?.[0] ?? ''
    this.at += word.length
    return word
  }
}

/** The value of a text in GVariant's format. Errors: GvariantError. */
export const parseGvariant = (text: string): DbusValue => new Parser(text).parse()
