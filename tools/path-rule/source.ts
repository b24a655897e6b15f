/** C++ as far as the rule has to know it: calls, what they are given, and the function they stand in. */

export interface Call {
  readonly name: string
  /** With the parentheses. */
  readonly args: string
  readonly line: number
  /** The function, or the class, whose definition begins at the margin (as clang-format leaves it). */
  readonly within: string
}

const KEYWORDS = new Set(['return', 'else', 'case', 'co_return', 'throw', 'not', 'and', 'or'])

/** Comments become blanks, and so does what literals hold, so that offsets stay. A literal that is empty stays empty. */
export const blanked = (text: string): string =>
  text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+'/g, (found) =>
    found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : `${found[0]}${'~'.repeat(found.length - 2)}${found[0]}`,
  )

const closing = (text: string, open: number): number => {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    depth += text[at] === '(' ? 1 : text[at] === ')' ? -1 : 0
    if (depth === 0) return at + 1
  }
  return text.length
}

const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length

/** What begins at the margin is a definition: the first name that has parameters, or a class. */
const definitionBefore = (text: string, at: number): string => {
  const lines = text.slice(0, at).split('\n')
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = lines[index] ?? ''
    const found = /^(?:class|struct) (\w+)|^(?!namespace|#|\}|using)[\w[].*?(~?\w+)\(/.exec(
      line.replace('[[gnu::noinline]]', ''),
    )
    if (found !== null) return found[1] ?? found[2] ?? ''
  }
  return ''
}

/** `open` of the C library, or of sys: not a method, not another class's, not a declaration. */
const isCall = (before: string): boolean => {
  const [, word = ''] = /(\w+)\s+(?:::)?$/.exec(before) ?? []
  if (/(\.|->)\s*$/.test(before) || (word !== '' && !KEYWORDS.has(word))) return false
  const [, scope] = /(\w+|>)::$/.exec(before) ?? []
  return scope === undefined || scope === 'sys'
}

/** Calls of these names in the order of the file. `syscall(SYS_open, …)` is one of `open`. */
export const callsOf = (source: string, names: ReadonlySet<string>): Call[] => {
  const text = blanked(source)
  return [...text.matchAll(/(?<!\w)(?:syscall\(\s*SYS_)?(\w+)\s*(\(|,)/g)].flatMap((found) => {
    const [whole, name = '', behind] = found
    const raw = whole.startsWith('syscall')
    if (!names.has(name) || (!raw && (behind !== '(' || !isCall(text.slice(0, found.index))))) return []
    const open = raw ? found.index + 'syscall'.length : found.index + whole.length - 1
    const args = text.slice(open, closing(text, open))
    // A method of the class that this is in.
    if (args === '()') return []
    return [{ name, args, line: lineOf(text, found.index), within: definitionBefore(text, found.index) }]
  })
}

export interface Constant {
  readonly name: string
  readonly value: string
  readonly line: number
}

/** `const … NAME = …;` of the same file, as text. */
export const constantsOf = (source: string): Constant[] => {
  const text = blanked(source)
  return [...text.matchAll(/\b(?:constexpr|const)\s[\w\s:]*?(\w+)\s*=\s*([^;]*);/g)].map((found) => ({
    name: found[1] ?? '',
    value: found[2] ?? '',
    line: lineOf(text, found.index),
  }))
}
