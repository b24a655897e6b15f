// What the executable must not grow into: it is copied for each container.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

declare const TSRUNC_DIST: string

const image = readFileSync(join(TSRUNC_DIST, '..', 'build', 'Release', 'tsrunc'))

/** elf(5): the types of the program headers of a 64-bit file of this byte order. */
function segmentTypes(): number[] {
  const first = Number(image.readBigUInt64LE(32))
  const size = image.readUInt16LE(54)
  return Array.from({ length: image.readUInt16LE(56) }, (_, index) => image.readUInt32LE(first + index * size))
}

it('is smaller than 1200 KiB, with monitor and shim', () => {
  expect(image.length).toBeLessThan(1200 * 1024)
})

it('needs no interpreter and stands wherever the kernel puts it', () => {
  const PT_INTERP = 3
  const ET_DYN = 3
  expect(segmentTypes()).not.toContain(PT_INTERP)
  expect(image.readUInt16LE(16)).toBe(ET_DYN)
})
