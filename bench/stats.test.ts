import { expect, test } from 'vitest'
import { quantile, shuffled, summarize } from './stats'

test('quantiles are interpolated between neighbours', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(quantile([5], 0.9)).toBe(5)
  expect(quantile([0, 10], 0.9)).toBeCloseTo(9)
})

test('an empty series has no quantile', () => {
  expect(() => quantile([], 0.5)).toThrow(RangeError)
})

test('a summary counts and does not reorder its series', () => {
  const series = [3, 1, 2]
  expect(summarize(series)).toEqual({ count: 3, least: 1, p50: 2, p90: expect.closeTo(2.8), p99: expect.closeTo(2.98) })
  expect(series).toEqual([3, 1, 2])
})

test('shuffling keeps every item', () => {
  expect(shuffled([1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4])
})
