/** Marks a number that is kept as text while the value is in memory. */
const MARK = '\u0000number:'
const STRING_OR_LONG_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d{16,}/g
const MARKED = /"\\u0000number:(-?\d+)"/g

/** JSON.parse that loses no digit of long numbers (limits go up to 2^64-1): they become marked strings, which
 *  `stringifyExactly` writes as the numbers they were. @throws SyntaxError */
export function parseExactly(text: string): unknown {
  return JSON.parse(
    text.replaceAll(STRING_OR_LONG_NUMBER, (token) => (token.startsWith('"') ? token : JSON.stringify(MARK + token))),
  )
}

export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replaceAll(MARKED, '$1')
}

/** The value of a number that may be a marked one, rounded to the nearest double. */
export function numeric(value: unknown): number {
  return typeof value === 'string' && value.startsWith(MARK) ? Number(value.slice(MARK.length)) : Number(value)
}
