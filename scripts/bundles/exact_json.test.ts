import { expect, test } from 'vitest'
import { numeric, parseExactly, stringifyExactly } from './exact_json'

test('long numbers keep every digit', () => {
  const text = '{"limit":18446744073709551615,"least":-9223372036854775808,"small":1}'
  expect(stringifyExactly(parseExactly(text)).replaceAll(/\s/g, '')).toBe(text)
})

test('digits within strings are left alone', () => {
  const text = '{"id":"a\\"12345678901234567890"}'
  expect(parseExactly(text)).toEqual({ id: 'a"12345678901234567890' })
})

test('a long number can be compared', () => {
  const { limit } = parseExactly('{"limit":18446744073709551615}') as { limit: unknown }
  expect(numeric(limit)).toBe(2 ** 64)
  expect(numeric(20000)).toBe(20000)
})
