/** Escaped NUL, in a text that has no other (RFC 8259 section 7: control characters must be escaped). */
const ESCAPED_NUL = '\\u0000'

/**
 * Takes the strings which hold a NUL out of a parsed value, in place: each becomes a symbol, so that it is refused
 * wherever the schema wants a string, and is ignored within unknown properties. No string of the kernel's interfaces
 * can hold a NUL: paths, arguments and names would end there and mean something else.
 */
export function banNul(value: unknown, text: string): unknown {
  return text.includes(ESCAPED_NUL) ? replaceNul(value) : value
}

function replaceNul(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\0') ? Symbol(value) : value
  if (typeof value !== 'object' || value === null) return value
  for (const name of Object.keys(value)) {
    const member: unknown = Reflect.get(value, name)
    const replaced = replaceNul(member)
    if (replaced !== member) Object.defineProperty(value, name, { value: replaced })
  }
  return value
}
