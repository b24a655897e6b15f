import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { withAnonymousData } from './anonymous-data'

const LOAD = 1
const NOTE = 4
const GNU_PROPERTY = 0x6474e553
const MARK_AT = 0x1800

interface Header {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly file: number
  readonly memory: number
}

const CODE: Header = { type: LOAD, flags: 5, offset: 0x1000, address: 0x1000, file: 0x1000, memory: 0x1000 }
const DATA: Header = { type: LOAD, flags: 6, offset: 0x20b0, address: 0x20b0, file: 0x123, memory: 0x3000 }
const PROPERTY: Header = { type: GNU_PROPERTY, flags: 4, offset: 0x300, address: 0x300, file: 0x20, memory: 0x20 }
const NOTES: readonly Header[] = [
  { ...PROPERTY, type: NOTE },
  { type: NOTE, flags: 4, offset: 0x320, address: 0x320, file: 0x20, memory: 0x20 },
]

/** As far as the tool looks at it. */
function executable(headers: readonly Header[], machine = 62): Buffer {
  const out = Buffer.alloc(0x3000)
  out.writeUInt16LE(machine, 18)
  out.writeBigUInt64LE(64n, 32)
  out.writeUInt16LE(headers.length, 56)
  headers.forEach(({ type, flags, offset, address, file, memory }, index) => {
    const at = 64 + 56 * index
    out.writeUInt32LE(type, at)
    out.writeUInt32LE(flags, at + 4)
    const numbers = [offset, address, address, file, memory, 0x1000]
    numbers.forEach((value, word) => {
      out.writeBigUInt64LE(BigInt(value), at + 8 + 8 * word)
    })
  })
  out.write('tsrunc data at: ', MARK_AT, 'latin1')
  return out
}

function headersOf(elf: Buffer): readonly Header[] {
  const number = (at: number): number => Number(elf.readBigUInt64LE(at))
  return Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const at = number(32) + 56 * index
    const [type, flags] = [elf.readUInt32LE(at), elf.readUInt32LE(at + 4)]
    return {
      type,
      flags,
      offset: number(at + 8),
      address: number(at + 16),
      file: number(at + 32),
      memory: number(at + 40),
    }
  })
}

const told = (elf: Buffer): readonly number[] => [16, 24, 32].map((at) => Number(elf.readBigUInt64LE(MARK_AT + at)))

describe('withAnonymousData', () => {
  const before = executable([CODE, DATA, ...NOTES, PROPERTY])
  const after = withAnonymousData(before)

  it('makes variables memory of no file, from the beginning of their page on', () => {
    expect(headersOf(after)[1]).toEqual({ ...DATA, offset: 0x2000, address: 0x2000, file: 0, memory: 0x30b0 })
  })

  it('loads what they begin with as constants behind them, in place of the note that the kernel does not read', () => {
    const constants = { type: LOAD, flags: 4, offset: 0x2000, address: 0x6000, file: 0x1d3, memory: 0x1d3 }
    expect(headersOf(after)).toEqual([CODE, headersOf(after)[1], NOTES[0], constants, PROPERTY])
  })

  it('tells entry.cc how many bytes are to be copied, from where and to where', () => {
    expect(told(after)).toEqual([0x1d3, 0x6000, 0x2000])
  })

  it('changes nothing else', () => {
    const bytes = Buffer.from(after)
    before.copy(bytes, 0, 0, 64 + 56 * 5)
    bytes.fill(0, MARK_AT + 16, MARK_AT + 40)
    expect(bytes.equals(before)).toBe(true)
  })

  it.each([
    ['takes the sections away', 0x1900, 1, [0, 0, 0]],
    ['leaves those of symbols', 0x1900, 2, [0x1900, 1, 1]],
  ])('%s', (_, at, type, expected) => {
    const sections = Buffer.from(before)
    sections.writeBigUInt64LE(BigInt(at), 40)
    sections.writeUInt16LE(1, 60)
    sections.writeUInt16LE(1, 62)
    sections.writeUInt32LE(type, at + 4)
    const left = withAnonymousData(sections)
    expect([Number(left.readBigUInt64LE(40)), left.readUInt16LE(60), left.readUInt16LE(62)]).toEqual(expected)
  })

  it('leaves alone what it has done already, and executables of other processors', () => {
    expect(withAnonymousData(after)).toBe(after)
    const foreign = executable([CODE, DATA, ...NOTES], 183)
    expect(withAnonymousData(foreign)).toBe(foreign)
  })

  it.each([
    ['without variables', [CODE, ...NOTES]],
    ['with variables in two places', [CODE, DATA, { ...DATA, offset: 0x2800, address: 0x8800 }, ...NOTES]],
    ['with code behind its variables', [DATA, { ...CODE, address: 0x9000 }, ...NOTES]],
    ['without a header to spare', [CODE, DATA, { ...PROPERTY, type: NOTE }, PROPERTY]],
    ['whose spare header is before the others', [...NOTES, CODE, DATA, PROPERTY]],
  ])('refuses an executable %s', (_, headers) => {
    expect(() => withAnonymousData(executable(headers))).toThrow(Error)
  })

  it('refuses an executable without the mark', () => {
    const unmarked = executable([CODE, DATA, ...NOTES])
    unmarked.fill(0, MARK_AT, MARK_AT + 16)
    expect(() => withAnonymousData(unmarked)).toThrow(Error)
  })

  it('was done with the executable that is built', () => {
    const built = readFileSync(join(__dirname, '..', 'build', 'Release', 'tsrunc'))
    expect(withAnonymousData(built)).toBe(built)
  })
})
