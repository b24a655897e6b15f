import { expect, test } from 'vitest'
import { MAX_CPU, MAX_NODE, parseNumberList } from './number-list'

test.each([
  ['', []],
  ['0', [0]],
  ['7, 0-2,1', [0, 1, 2, 7]],
  [' 3 ,,4\t', [3, 4]],
  ['5-5', [5]],
  ['8191', [8191]],
])('%o is a list', (list, numbers) => {
  expect(parseNumberList(list, MAX_CPU)).toEqual(numbers)
})

test.each(['a', '-1', '1-', '3-1', '0x1', '1;2', '0-3:1/2', '1 - 2', '1024', '0-99999999999'])('%o is none', (list) => {
  expect(parseNumberList(list, MAX_NODE)).toBeUndefined()
})
