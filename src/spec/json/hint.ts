/** What people write into JSON that other notations allow: the found text, and what to write instead. */
const NOTATIONS: readonly (readonly [found: RegExp, hint: string])[] = [
  [/^\/[/*]|^#/, 'JSON has no comments: remove it'],
  [/^'/, "strings stand in double quotes, not in ' '"],
  [/^(?:True|TRUE)\b/, 'write true'],
  [/^(?:False|FALSE)\b/, 'write false'],
  [/^(?:None|nil|NULL|Null|undefined)\b/, 'write null, or leave the property out'],
  [/^[+.]\d/, 'a number begins with a digit or -'],
  [/^[A-Za-z_]\w*\s*:/, 'names stand in double quotes'],
]

const BEFORE_VALUE = /^["[{]/
const AFTER_COMMA = /,\s*$/

/** A number that JSON does not know, which was read up to its first wrong character. */
function numberHint(before: string, after: string): string | undefined {
  const octal = /(?:^|[\s:[,])0$/.test(before) ? /^[oO]?([0-7]+)\b/.exec(after)?.[1] : undefined
  if (octal !== undefined) return `numbers are decimal: the octal 0${octal} is ${Number.parseInt(octal, 8)}`
  const hexadecimal = /(?:^|[\s:[,])0$/.test(before) ? /^[xX]([0-9a-fA-F]{1,13})\b/.exec(after)?.[1] : undefined
  if (hexadecimal === undefined) return undefined
  return `numbers are decimal: 0x${hexadecimal} is ${Number.parseInt(hexadecimal, 16)}`
}

/**
 * What to do about a character of a text that is not JSON, where a usual mistake is recognized.
 *
 * @param wanted what the parser expected there, as in its message
 */
export function syntaxHint(text: string, offset: number, wanted: string): string | undefined {
  const before = text.slice(Math.max(0, offset - 200), offset)
  const after = text.slice(offset, offset + 200)
  const notation = NOTATIONS.find(([found]) => found.test(after))
  if (notation !== undefined) return notation[1]
  if (/^[\]}]/.test(after) && AFTER_COMMA.test(before)) return 'remove the comma before it'
  if (wanted.startsWith("','") && BEFORE_VALUE.test(after)) return 'is a comma missing before it?'
  return numberHint(before, after)
}
