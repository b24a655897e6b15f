/** RFC 3339 with up to nine digits of a second, as monitors write it, and the timestamps of protocol buffers. */
import type { Timestamp } from './messages'

const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/
const MILLISECONDS = 1000

/** @throws Error what is no time */
export function timestampOf(text: string): Timestamp {
  const [, whole, part = ''] = FORM.exec(text) ?? []
  const milliseconds = Date.parse(`${whole}Z`)
  if (whole === undefined || Number.isNaN(milliseconds)) throw new Error(`${JSON.stringify(text)} is no time`)
  return { seconds: BigInt(milliseconds / MILLISECONDS), nanos: Number(part.padEnd(9, '0')) }
}
