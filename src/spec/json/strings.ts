/** Escaped NUL, in a text that has no other (RFC 8259 section 7: control characters must be escaped). */
const ESCAPED_NUL = '\\u0000'
/** An escaped surrogate. Most stand in pairs; unescaped ones are not UTF-8 and were refused. */
const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/

/** Why no system call can take the string, as the end of a sentence; undefined where one can. */
export function unusable(text: string): string | undefined {
  // Paths, arguments and names would end there and mean something else.
  if (text.includes('\0')) return 'must not contain a NUL character (\\u0000)'
  // It has no form in UTF-8: another character would stand in its place.
  if (!text.isWellFormed()) return 'must not contain half of a surrogate pair (\\ud800 to \\udfff alone)'
  return undefined
}

/**
 * Takes the strings that no system call can take out of a parsed value, in place: each becomes a symbol, so that it is
 * refused wherever the schema wants a string, and is ignored within unknown properties.
 */
export function banUnusable(value: unknown, text: string): unknown {
  return text.includes(ESCAPED_NUL) || ESCAPED_SURROGATE.test(text) ? replaceStrings(value) : value
}

function replaceStrings(value: unknown): unknown {
  if (typeof value === 'string') return unusable(value) === undefined ? value : Symbol(value)
  if (typeof value !== 'object' || value === null) return value
  for (const name of Object.keys(value)) {
    const member: unknown = Reflect.get(value, name)
    const replaced = replaceStrings(member)
    if (replaced !== member) Object.defineProperty(value, name, { value: replaced })
  }
  return value
}
