import { describe, expect, it } from 'vitest'
import { AUDIT_ARCH_I386, run } from '../fuzz/bpf'
import { encodeSeccompRequest } from '../plan/seccomp'
import { seccompBinding } from './binding'

const ALLOW = 0x7fff0000
const KILL = 0
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const X32 = 0x40000000

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
