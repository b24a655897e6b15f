import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ioWeightOfBlockWeight, weightOfShares } from './convert'

test.each([
  [1n, 1],
  [2n, 1],
  [1024n, 100],
  [262144n, 10000],
  [262145n, 10000],
  [18446744073709551615n, 10000],
])('cpu.shares %s is cpu.weight %i', (shares, weight) => {
  expect(weightOfShares(shares)).toBe(weight)
})

test('more shares never mean less weight, and weights are in range', () => {
  const share = fc.integer({ min: 0, max: 300000 })
  fc.assert(
    fc.property(share, share, (a, b) => {
      const [low, high] = [weightOfShares(BigInt(Math.min(a, b))), weightOfShares(BigInt(Math.max(a, b)))]
      return low <= high && low >= 1 && high <= 10000
    }),
  )
})

test.each([
  [10, 1],
  [11, 11],
  [100, 910],
  [500, 4950],
  [1000, 10000],
])('blkio.weight %i is io.weight %i', (weight, expected) => {
  expect(ioWeightOfBlockWeight(weight)).toBe(expected)
})
