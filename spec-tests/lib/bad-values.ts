/** Values for the properties of config.json that somebody may send by mistake or on purpose, and how to put them in. */
import { isDeepStrictEqual } from 'node:util'

/** A value as JSON text, for what JavaScript cannot hold, and as a parser that is exact would read it. */
export interface BadValue {
  readonly name: string
  readonly json: string
  readonly value: unknown
}

const plain = (value: unknown, name = JSON.stringify(value)): BadValue => ({ name, json: JSON.stringify(value), value })
const big = (value: bigint, name: string): BadValue => ({ name, json: String(value), value })

const MEGABYTE = 1 << 20

const NUMBERS: readonly BadValue[] = [
  plain(0),
  { name: '-0', json: '-0', value: -0 },
  plain(1),
  plain(-1),
  plain(-2),
  plain(0.5),
  plain(-1.5),
  plain(65536),
  big(2n ** 31n, '2^31'),
  big(-(2n ** 31n) - 1n, '-2^31-1'),
  big(2n ** 32n - 1n, '2^32-1'),
  big(2n ** 32n, '2^32'),
  big(2n ** 53n + 1n, '2^53+1'),
  big(2n ** 63n - 1n, '2^63-1'),
  big(2n ** 63n, '2^63'),
  big(-(2n ** 63n), '-2^63'),
  big(-(2n ** 63n) - 1n, '-2^63-1'),
  big(2n ** 64n - 1n, '2^64-1'),
  big(2n ** 64n, '2^64'),
  big(10n ** 39n, '10^39'),
  { name: '1e400', json: '1e400', value: Number.POSITIVE_INFINITY },
  { name: '-1e400', json: '-1e400', value: Number.NEGATIVE_INFINITY },
  { name: '1E2', json: '1E2', value: 100 },
  { name: '10,000 digits', json: '9'.repeat(10_000), value: Number.POSITIVE_INFINITY },
]

const STRINGS: readonly BadValue[] = [
  ...['', '0', '-1', ' ', '.', '..', '../..', './a', 'relative', '/..', '/a/../../b', '/', '//', 'NO_SUCH_WORD'].map(
    (text) => plain(text),
  ),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((text) => plain(text)),
  ...['a\nb', 'level=error msg="x"\n', '\u001b[2J', '\u202egnp', '%s%n', 'é', '😀', 'a b', '=', 'A=', '*', 'null'].map(
    (text) => plain(text),
  ),
  plain('a\0b'),
  plain('\0'),
  plain('/a\0'),
  plain('A=\0'),
  { name: 'the first half of a surrogate pair', json: '"/a=\\ud83d"', value: '/a=\ud83d' },
  { name: 'the second half of a surrogate pair', json: '"\\uDE00=x"', value: '\ude00=x' },
  plain('x'.repeat(MEGABYTE), 'a megabyte of x'),
  plain(`/${'x'.repeat(MEGABYTE)}`, 'a path of a megabyte'),
  plain('../'.repeat(MEGABYTE / 4), 'a quarter of a million times ../'),
]

const OTHERS: readonly BadValue[] = [
  plain(null),
  plain(true),
  plain(false),
  plain([]),
  plain([[]]),
  plain([null]),
  plain(['']),
  plain([{}]),
  plain({}),
  plain({ '': '' }),
  plain({ a: 1 }),
  { name: '{"__proto__":[]}', json: '{"__proto__":[]}', value: { a: 1 } },
  plain({ length: 5 }),
]

export const BAD_VALUES: readonly BadValue[] = [...OTHERS, ...NUMBERS, ...STRINGS]

const MARK = '\u0001here'
const MARKED = JSON.stringify(MARK)

type Node = Record<string, unknown>

const steps = (pointer: string): string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

/** The configuration's text before and behind the value at the pointer, whose parent must be there. */
export function textAround(config: unknown, pointer: string): readonly [string, string] {
  const copy = structuredClone(config)
  const path = steps(pointer)
  const last = path.pop() ?? ''
  const parent = path.reduce<Node>((node, step) => node[step] as Node, copy as Node)
  parent[last] = MARK
  const [before, behind, more] = JSON.stringify(copy).split(MARKED)
  if (before === undefined || behind === undefined || more !== undefined) throw new Error(`no place for ${pointer}`)
  return [before, behind]
}

/** The configuration's text with the JSON text at the pointer. */
export function withJson(config: unknown, pointer: string, json: string): string {
  const [before, behind] = textAround(config, pointer)
  return before + json + behind
}

/** The configuration's text in which the member at the pointer stands twice. */
export function withTwice(config: unknown, pointer: string): string {
  const [before, behind] = textAround(config, pointer)
  const name = `${JSON.stringify(steps(pointer).at(-1))}:`
  if (!before.endsWith(name)) throw new Error(`${pointer} is no member of an object`)
  const value = JSON.stringify(valueAt(config, pointer) ?? null)
  return `${before}${value},${name}${value}${behind}`
}

export const valueAt = (config: unknown, pointer: string): unknown =>
  pointer === '' ? config : steps(pointer).reduce<unknown>((node, step) => (node as Node | undefined)?.[step], config)

/** Whether a value is one that the example has, so that nothing is bad about it. */
export const isExample = (config: unknown, pointer: string, { value }: BadValue): boolean =>
  isDeepStrictEqual(valueAt(config, pointer), value)
