import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonError, MAX_DEPTH, parseExact } from './exact'
import { locateAll } from './locate'
import { inspectJson, parseJson } from './parse'
import { fromPointer, toPointer, valueAt } from './pointer'
import { PointerSet } from './pointer-set'
import { Lines } from './position'
import { banUnusable } from './strings'

const parse = (text: string): unknown => parseJson(Buffer.from(text)).value

function fault(run: () => unknown): JsonError {
  try {
    run()
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** What JSON.parse makes of a value: bigints rounded. */
const rounded = (value: unknown): unknown => {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]))
}

describe('both parsers agree with JSON.parse', () => {
  test('on any JSON', () => {
    fc.assert(
      fc.property(fc.json({ depthSize: 'large' }), (text) => {
        const expected: unknown = JSON.parse(text)
        expect(rounded(parseExact(text))).toEqual(expected)
        expect(rounded(parse(text))).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('on what is almost JSON: same verdict', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b\\n"',
      '"\\u0041"',
      '"\\x"',
      '1',
      '-',
      '0',
      '.5',
      'e3',
    )
    const word = fc.constantFrom('true', 'null', 'fals', ' ', '\n', '\t', '\u00a0', '"', '\\', '01', '1E+2')
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, word), { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        let accepted = true
        try {
          JSON.parse(text)
        } catch {
          accepted = false
        }
        for (const read of [parseExact, parse]) {
          if (accepted) {
            try {
              read(text)
            } catch (error) {
              expect(String(error)).toContain('stands twice')
            }
          } else {
            expect(() => read(text)).toThrow(JsonError)
          }
        }
      }),
      { numRuns: 5000 },
    )
  })

  test('on strings with quotes, colons and backslashes', () => {
    const string = fc.string({
      unit: fc.constantFrom('"', '\\', ':', ',', '{', '\n', 'a', '\u2028', '😀', '1'),
      maxLength: 30,
    })
    fc.assert(
      fc.property(fc.dictionary(string, fc.array(string)), (value) => {
        expect(parse(JSON.stringify(value))).toEqual(value)
        expect(parseExact(JSON.stringify(value, null, 2))).toEqual(value)
      }),
    )
  })
})

describe('names that stand twice', () => {
  test('are found wherever they are, and only there', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', '__proto__', '\\u0061'), { maxLength: 5 }), (names) => {
        const unique = new Set(names.map((name) => (name === '\\u0061' ? 'a' : name))).size === names.length
        const text = `{"x":[{${names.map((name) => `"${name}":":"`).join(',')}}]}`
        if (unique) parse(text)
        else expect(fault(() => parse(text)).pointer).toMatch(/^\/x\/0\/(a|b|c|__proto__)$/)
      }),
    )
  })

  test('are named by pointer, line and column', () => {
    const error = fault(() => parse('{\n  "process": {\n    "cwd": "/",\n    "cwd": "/a"\n  }\n}'))
    expect(error.pointer).toBe('/process/cwd')
    expect(error.position).toEqual({ line: 4, column: 5 })
    expect(error.message).toBe('the name "cwd" stands twice in one object (first at line 3, column 5)')
  })

  test('__proto__ is a name like any other', () => {
    const value = parse('{"__proto__": {"polluted": true}, "n": 99999999999999999999}')
    expect(Object.keys(value as object)).toEqual(['__proto__', 'n'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})

describe('numbers', () => {
  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    ['-9223372036854775808', -9223372036854775808n],
    ['1e19', 10000000000000000000n],
    ['1.8446744073709551615e19', 18446744073709551615n],
    ['1e3', 1000],
    ['1.0', 1],
    ['0.1234567890123456789', 0.12345678901234568],
    ['1e400', Number.POSITIVE_INFINITY],
    ['1e300', 1e300],
    ['-0', -0],
  ])('%s', (text, value) => {
    expect(parse(`[${text}]`)).toEqual([value])
    expect(parse(`["9999999999999999", ${text}]`)).toEqual(['9999999999999999', value])
  })
})

describe('refused texts', () => {
  test.each([
    ['', 'the file is empty', 1, 1],
    ['{"a": 1,\n}', 'expected a name in double quotes, but found "}"', 2, 1],
    ['{"a" 1}', 'expected \':\', but found "1"', 1, 6],
    ['[1 2]', "expected ',' or ']', but found \"2\"", 1, 4],
    ['{"a": 1', "expected ',' or '}', but the text ends", 1, 8],
    ['{"a": "x', 'the text ends within a string', 1, 9],
    ['{"a": "x\ny"}', 'a string holds the control character U+000a', 1, 9],
    ['{"a": "\\q"}', 'a string has an escape that JSON does not know', 1, 8],
    ['{} {}', 'expected the end, but found "{"', 1, 4],
    ['nul', 'expected a value, but found "n"', 1, 1],
    ['\ufeff{}', 'the text begins with a byte order mark', 1, 1],
    ['\r\n\r\n  ?', 'expected a value, but found "?"', 3, 3],
  ])('%j', (text, message, line, column) => {
    const error = fault(() => parse(text))
    expect(error.message).toBe(message)
    expect(error.position).toEqual({ line, column })
  })

  test('bytes that are not UTF-8, even beside a true U+FFFD', () => {
    const bytes = Buffer.concat([
      Buffer.from('{\n"\ufffdä": "'),
      Buffer.from([0xff, 0x41, 0x42]),
      Buffer.from('\ufffd"}'),
    ])
    const error = fault(() => parseJson(bytes))
    expect(error.message).toBe('the text is not UTF-8')
    expect(error.position).toEqual({ line: 2, column: 8 })
    expect(fault(() => parseJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).position).toEqual({ line: 1, column: 2 })
  })

  test('values nested too deep, for either parser', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nest = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`
      parse(nest(MAX_DEPTH))
      parseExact(nest(MAX_DEPTH))
      for (const depth of [MAX_DEPTH + 1, 100_000]) {
        expect(fault(() => parse(nest(depth))).message).toBe('values are nested more than 1000 deep')
        expect(fault(() => parseExact(nest(depth))).message).toBe('values are nested more than 1000 deep')
      }
    }
  })
})

describe('size', () => {
  test('a string of megabytes, plain and escaped', () => {
    for (const unit of ['a', '\\', '"', '\n', 'ä']) {
      const value = { a: unit.repeat(4_000_000), b: 18446744073709551615n }
      const text = `{"a":${JSON.stringify(value.a)},"b":18446744073709551615}`
      expect(parse(text)).toEqual(value)
    }
  })

  test('a string without an end is refused in linear time', () => {
    expect(fault(() => parse(`["${'a'.repeat(2_000_000)}`)).message).toBe('the text ends within a string')
    expect(fault(() => parse(`["${'\\n'.repeat(2_000_000)}`)).message).toBe('the text ends within a string')
  })
})

describe('positions', () => {
  const text = '{\n  "a/b": [10, {"c~": "x"}],\n  "d": {}\n}'

  test.each([
    ['', 1, 1],
    ['/a~1b', 2, 10],
    ['/a~1b/0', 2, 11],
    ['/a~1b/1/c~0', 2, 22],
    ['/d', 3, 8],
    ['/d/missing/deeper', 3, 8],
    ['/missing', 1, 1],
  ])('%j', (pointer, line, column) => {
    const [place] = locateAll(text, [pointer])
    expect(new Lines(text).positionAt(place?.offset ?? -1)).toEqual({ line, column })
  })

  test('of many pointers at once, with the names of members', () => {
    const places = locateAll(text, ['/d', '/a~1b/1/c~0', '', '/a~1b/0'])
    expect(places.map(({ nameOffset }) => nameOffset && text.slice(nameOffset, nameOffset + 4))).toEqual([
      '"d":',
      '"c~"',
      undefined,
      undefined,
    ])
  })

  test('before a syntax error', () => {
    expect(locateAll('{"a": {"b": 1 "c": 2}}', ['/a/b', '/a/c']).map(({ offset }) => offset)).toEqual([12, 6])
  })

  test('lines end with LF, CRLF or CR', () => {
    const lines = new Lines('a\nb\r\nc\rd')
    expect([0, 1, 2, 5, 7, 8].map((offset) => lines.positionAt(offset))).toEqual([
      { line: 1, column: 1 },
      { line: 1, column: 2 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
      { line: 4, column: 1 },
      { line: 4, column: 2 },
    ])
    expect([1, 2, 3, 4].map((number) => lines.line(number))).toEqual(['a', 'b', 'c', 'd'])
  })

  test('pointers and paths', () => {
    expect(toPointer(['a/b', 1, 'c~'])).toBe('/a~1b/1/c~0')
    expect(fromPointer('/a~1b/1/c~0')).toEqual(['a/b', '1', 'c~'])
    expect(valueAt(JSON.parse(text), '/a~1b/1/c~0')).toBe('x')
    expect(valueAt(JSON.parse(text), '/a~1b/2/c~0')).toBeUndefined()
    expect(valueAt(JSON.parse(text), '/toString')).toBeUndefined()
  })
})

describe('everything that is wrong with a text', () => {
  const errorsOf = (bytes: Uint8Array) =>
    inspectJson(bytes).errors.map(({ kind, pointer, position: { line, column } }) => [kind, pointer, line, column])

  test('a mark, bad bytes, names that stand twice, and then a syntax error', () => {
    const bytes = Buffer.concat([
      Buffer.from('\ufeff{"a": 1, "a": 2,\n "b": "'),
      Buffer.from([0xff]),
      Buffer.from('", "c": {"d": 1, "d": 2}'),
    ])
    const wrong = [
      ['json-encoding', '', 2, 8],
      ['json-bom', '', 1, 1],
      ['json-duplicate', '/a', 1, 10],
      ['json-duplicate', '/c/d', 2, 26],
    ]
    expect(errorsOf(Buffer.concat([bytes, Buffer.from('}')]))).toEqual(wrong)
    expect(inspectJson(Buffer.concat([bytes, Buffer.from('}')])).value).toEqual({ a: 2, b: '\ufffd', c: { d: 2 } })
    expect(errorsOf(bytes)).toEqual([...wrong, ['json-syntax', '', 2, 33]])
    expect(inspectJson(bytes).value).toBeUndefined()
  })

  test('UTF-16 is told from what else is not UTF-8', () => {
    const { errors } = inspectJson(Buffer.from('\ufeff{}', 'utf16le'))
    expect(errors[0]).toMatchObject({ kind: 'json-encoding', suggestion: expect.stringContaining('UTF-16') })
  })

  test('10,000 names that stand twice', () => {
    const text = `{${Array.from({ length: 10_000 }, (_, index) => `"n${index}":1,\n"n${index}":2`).join(',')}}`
    expect(inspectJson(Buffer.from(text)).errors).toHaveLength(10_000)
  })
})

test.each([
  ['{"a": 1,}', 'remove the comma before it'],
  ['["a",\n]', 'remove the comma before it'],
  ['{"a": 1 "b": 2}', 'is a comma missing before it?'],
  ['[{} {}]', 'is a comma missing before it?'],
  ['{"a" "b"}', undefined],
  ['// all\n{}', 'JSON has no comments: remove it'],
  ['{"a": 1, /* all */ "b": 2}', 'JSON has no comments: remove it'],
  ["{'a': 1}", "strings stand in double quotes, not in ' '"],
  ['{a: 1}', 'names stand in double quotes'],
  ['{"a": True}', 'write true'],
  ['{"a": None}', 'write null, or leave the property out'],
  ['{"umask": 022}', 'numbers are decimal: the octal 022 is 18'],
  ['{"fileMode": 0o666}', 'numbers are decimal: the octal 0666 is 438'],
  ['{"classID": 0x100001}', 'numbers are decimal: 0x100001 is 1048577'],
  ['{"a": 100x1}', undefined],
  ['{"a": 1', undefined],
])('a hint: %s', (text, suggestion) => {
  expect(fault(() => parse(text)).suggestion).toBe(suggestion)
})

test('a set of pointers knows what is within what', () => {
  const set = new PointerSet()
  set.add(['a', '1'])
  expect([[], ['a'], ['a', '1'], ['a', '1', 'b'], ['a', '2'], ['b']].map((path) => set.touches(path))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ])
  expect([['a'], ['a', '1'], ['a', '1', 'b']].map((path) => set.has(path))).toEqual([false, true, false])
  expect(new PointerSet().touches([])).toBe(false)
})

test('strings with a NUL become symbols', () => {
  const text = '{"a": ["x\\u0000y", "\\\\u0000"], "b": {"c": "\\u0000"}}'
  const value = banUnusable(parse(text), text)
  expect(value).toEqual({ a: [expect.any(Symbol), '\\u0000'], b: { c: expect.any(Symbol) } })
})
