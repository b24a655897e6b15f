import type { Plan } from './plan'

const COLUMNS = 120

/** One value's text: short lists and records on a line of their own, longer ones with an item a line. */
function print(value: unknown, indent: string): string {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) {
    const base64 = Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
    return print({ bytes: value.length, base64 }, indent)
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const deeper = `${indent}  `
  const isList = Array.isArray(value)
  const items = isList
    ? value.map((item) => print(item, deeper))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${print(item, deeper)}`)
  const [open, close, space] = isList ? ['[', ']', ''] : ['{', '}', ' ']
  if (items.length === 0) return open + close
  const line = open + space + items.join(', ') + space + close
  if (line.length + indent.length < COLUMNS && !line.includes('\n')) return line
  return `${open}\n${items.map((item) => deeper + item).join(',\n')}\n${indent}${close}`
}

/**
 * The plan for a person or a program: `create --dry-run`. 64-bit numbers are exact JSON numbers; bytes are
 * `{"bytes": length, "base64": text}`. Ends with a newline.
 */
export const planToJson = (plan: Plan): string => `${print(plan, '')}\n`
