import { describe, expect, it } from 'vitest'
import { encodeSeccompRequest } from '../plan/seccomp'
import { seccompBinding } from './binding'

const ALLOW = 0x7fff0000
const KILL = 0
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const AUDIT_ARCH_X86_64 = 0xc000003e
const AUDIT_ARCH_I386 = 0x40000003
const X32 = 0x40000000

/** struct seccomp_data. */
interface Call {
  readonly nr: number
  readonly arch?: number
  readonly args?: readonly bigint[]
}

function word({ nr, arch = AUDIT_ARCH_X86_64, args = [] }: Call, offset: number): number {
  if (offset === 0) return nr
  if (offset === 4) return arch
  const value = args[(offset - 16) >> 3] ?? 0n
  return Number((offset & 4) === 0 ? value & 0xffffffffn : value >> 32n)
}

/** What the kernel would answer: an interpreter of the classic BPF that seccomp(2) takes. */
function run(program: Uint8Array, call: Call): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  let accumulator = 0
  for (let pc = 0; pc < program.length / 8; pc++) {
    const code = view.getUint16(pc * 8, true)
    const k = view.getUint32(pc * 8 + 4, true)
    const jump = (taken: boolean) => view.getUint8(pc * 8 + (taken ? 2 : 3))
    if (code === 0x06) return k
    else if (code === 0x20) accumulator = word(call, k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x05) pc += k
    else if (code === 0x15) pc += jump(accumulator === k)
    else if (code === 0x25) pc += jump(accumulator > k)
    else if (code === 0x35) pc += jump(accumulator >= k)
    else throw new Error(`unknown instruction ${code.toString(16)} at ${pc}`)
  }
  throw new Error('the program has no end')
}

const rule = (name: string, action = ALLOW, conditions: readonly (readonly [number, number, bigint])[] = []) => ({
  name,
  action,
  conditions: conditions.map(([index, op, value]) => ({ index, op, value, valueTwo: 0n })),
})

const compile = (defaultAction: number, rules: ReturnType<typeof rule>[], architectures = ['SCMP_ARCH_X86_64']) =>
  seccompBinding().compile(
    encodeSeccompRequest({ defaultAction, architectures, rules, optimize: 0, failUnknown: false }),
  )

// Numbers of x86-64: read 0, write 1, personality 135, clone3 435, openat2 437.
describe('compile', () => {
  it('applies actions and conditions', () => {
    const program = compile(EPERM, [rule('read'), rule('personality', ALLOW, [[0, 4, 0xffffffffn]]), rule('openat2')])
    expect(run(program, { nr: 0 })).toBe(ALLOW)
    expect(run(program, { nr: 1 })).toBe(EPERM)
    expect(run(program, { nr: 135, args: [0xffffffffn] })).toBe(ALLOW)
    expect(run(program, { nr: 135, args: [0n] })).toBe(EPERM)
    expect(run(program, { nr: 135, args: [0x1ffffffffn] })).toBe(EPERM)
  })

  it('kills calls of an architecture that is not in the profile', () => {
    expect(run(compile(ALLOW, []), { nr: 0, arch: AUDIT_ARCH_I386 })).toBe(KILL)
  })

  it('takes the same rule twice, unknown system calls and rules of the default action', () => {
    const program = compile(EPERM, [rule('read'), rule('read'), rule('no_such_call'), rule('write', EPERM)])
    expect(run(program, { nr: 0 })).toBe(ALLOW)
    expect(run(program, { nr: 1 })).toBe(EPERM)
  })

  it('answers ENOSYS to what is newer than the profile, per architecture', () => {
    const archs = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']
    const program = compile(EPERM, [rule('read'), rule('clone3', ENOSYS)], archs)
    expect(run(program, { nr: 434 })).toBe(EPERM)
    expect(run(program, { nr: 435 })).toBe(ENOSYS)
    expect(run(program, { nr: 436 })).toBe(ENOSYS)
    expect(run(program, { nr: 0, arch: AUDIT_ARCH_I386 })).toBe(EPERM)
    expect(run(program, { nr: 3, arch: AUDIT_ARCH_I386 })).toBe(ALLOW)
    expect(run(program, { nr: 436, arch: AUDIT_ARCH_I386 })).toBe(ENOSYS)
    expect(run(program, { nr: X32 })).toBe(ALLOW)
    expect(run(program, { nr: X32 + 434 })).toBe(EPERM)
    expect(run(program, { nr: X32 + 600 })).toBe(ENOSYS)
  })

  it('leaves x32 to the filter where the profile does not name it', () => {
    expect(run(compile(EPERM, [rule('read')]), { nr: X32 + 600 })).toBe(KILL)
  })

  it('has no such answer where the default lets calls through', () => {
    expect(run(compile(ALLOW, [rule('read', EPERM)]), { nr: 9999 })).toBe(ALLOW)
  })

  it('names an architecture that libseccomp does not know', () => {
    expect(() => compile(EPERM, [], ['SCMP_ARCH_PDP11'])).toThrow('SCMP_ARCH_PDP11')
  })
})
