import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeviceRule } from '../../spec/types'
import { allowedByRules, mask, type Request, someRequest, someRule } from './device-fixtures'
import { deviceProgramV2 } from './device-program'
import { devicePolicy } from './device-rules'

const TYPES = { b: 1, c: 2 } as const

/** An interpreter of the instructions that a filter may have, by RFC 9669 and with its own decoder. */
function interpret(program: Uint8Array, context: readonly [number, number, number]): bigint {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const registers = new BigUint64Array(11)
  const low = (register: number): bigint => BigInt.asUintN(32, registers[register] ?? 0n)
  for (let pc = 0, steps = 0; steps < 100000; ++pc, ++steps) {
    const code = view.getUint8(pc * 8)
    const [dst, src] = [view.getUint8(pc * 8 + 1) & 0xf, view.getUint8(pc * 8 + 1) >> 4]
    const offset = view.getInt16(pc * 8 + 2, true)
    const imm = BigInt(view.getInt32(pc * 8 + 4, true))
    const wide = BigInt.asUintN(64, imm)
    switch (code) {
      case 0x61: // ldxw
        if (src !== 1) throw new Error('a load from what is not the context')
        registers[dst] = BigInt(context[offset / 4] ?? Number.NaN)
        break
      case 0xb7: // mov64
        registers[dst] = wide
        break
      case 0x54: // and32
        registers[dst] = low(dst) & BigInt.asUintN(32, imm)
        break
      case 0x74: // rsh32
        registers[dst] = low(dst) >> imm
        break
      case 0x55: // jne
        if (registers[dst] !== wide) pc += offset
        break
      case 0x45: // jset
        if (((registers[dst] ?? 0n) & wide) !== 0n) pc += offset
        break
      case 0x05: // ja
        pc += offset
        break
      case 0x95: // exit
        return registers[0] ?? 0n
      default:
        throw new Error(`unknown instruction 0x${code.toString(16)} at ${pc}`)
    }
  }
  throw new Error('endless')
}

function allowedByProgram(rules: readonly DeviceRule[], { type, major, minor, access }: Request): boolean {
  const policy = devicePolicy(rules)
  const program = policy === undefined ? undefined : deviceProgramV2(policy)
  if (program === undefined) return true
  return interpret(program, [(mask(access) << 16) | TYPES[type], major, minor]) === 1n
}

test('the program decides as the rules do', () => {
  fc.assert(
    fc.property(fc.array(someRule, { minLength: 1, maxLength: 8 }), someRequest, (rules, request) => {
      expect(allowedByProgram(rules, request)).toBe(allowedByRules(rules, request))
    }),
    { numRuns: 3000 },
  )
})

test('without rules there is no policy, and without a denial no program', () => {
  expect(devicePolicy([])).toBeUndefined()
  const policy = devicePolicy([
    { allow: false, access: 'rwm' },
    { allow: true, access: 'rwm' },
  ])
  expect(policy === undefined ? 'none' : deviceProgramV2(policy)).toBeUndefined()
})

test('a rule for numbers that no device has is left out', () => {
  const denyAll: DeviceRule = { allow: false, access: 'rwm' }
  const length = (rules: readonly DeviceRule[]): number | undefined => {
    const policy = devicePolicy(rules)
    return policy === undefined ? undefined : deviceProgramV2(policy)?.length
  }
  const impossible: DeviceRule = { allow: true, type: 'c', major: 4294967295, minor: 0, access: 'rw' }
  expect(length([denyAll, impossible])).toBe(length([denyAll]))
})

test('the whole program for a deny-all list, byte by byte at its ends', () => {
  const policy = devicePolicy([{ allow: false, access: 'rwm' }])
  const program = policy === undefined ? undefined : deviceProgramV2(policy)
  const hex = Buffer.from(program ?? []).toString('hex')
  // r2 = *(u32 *)(r1 + 0); w2 &= 0xffff
  expect(hex.slice(0, 32)).toBe('611200000000000054020000ffff0000')
  // r0 = 0; exit
  expect(hex.slice(-32)).toBe('b7000000000000009500000000000000')
})
