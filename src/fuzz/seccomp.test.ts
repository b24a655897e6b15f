/**
 * The oracle of seccomp: the program that a container gets, interpreted, answers each system call as the profile says when
 * it is read plainly.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seccompProfile } from '../../bench/seccomp_profile'
import { seccompBinding } from '../native/binding'
import { encodeSeccompRequest } from '../plan/seccomp'
import { seccompRequest } from '../plan/seccomp-rules'
import type { Seccomp, SeccompArg, SeccompSyscall } from '../spec/types'
import { SECCOMP_ACTIONS, SECCOMP_OPERATORS } from '../tables/seccomp'
import { type Call, run } from './bpf'
import { holds } from './holds'

/** The numbers are those of x86; on another machine there is nothing to compare with. */
const HEADERS = existsSync('/usr/include/x86_64-linux-gnu/asm/unistd_64.h') && process.arch === 'x64'
const { ABIS, NUMBERS, Reading, abiOf, callOf } = HEADERS
  ? await import('./profile-reading')
  : ({} as typeof import('./profile-reading'))

const compile = (profile: Seccomp): Uint8Array =>
  seccompBinding().compile(encodeSeccompRequest(seccompRequest(profile)))

/** Whether libseccomp knows the name: what it does not know it passes over. */
const known = new Map<string, boolean>()
function isKnown(name: string): boolean {
  const before = known.get(name)
  if (before !== undefined) return before
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [name], action: 'SCMP_ACT_LOG' }] }
  let is = true
  try {
    seccompBinding().compile(encodeSeccompRequest(seccompRequest(profile, true)))
  } catch {
    is = false
  }
  known.set(name, is)
  return is
}

/** ipc(2) and socketcall(2) of i386 stand for the calls of several names: libseccomp reads their first argument. */
const isMultiplexer = (call: Call): boolean => {
  const { abi, number } = abiOf(call)
  return abi === 'SCMP_ARCH_X86' && (number === 102 || number === 117)
}

/** Compiles the profile, and compares what the program and the profile say of a call. */
function compared(profile: Seccomp): (call: Call) => void {
  const program = compile(profile)
  const reading = new Reading(profile, isKnown)
  return (call) => {
    if (isMultiplexer(call)) return
    const answer = run(program, call)
    const right = reading.answers(call)
    if (right.includes(answer)) return
    const shown = JSON.stringify({ ...call, args: call.args?.map(String) })
    expect.fail(`${shown}: the program says ${answer.toString(16)}, the profile ${right.map((n) => n.toString(16))}`)
  }
}

const U64 = 2n ** 64n - 1n
/** Numbers at which comparisons change: those of the profile and their neighbours, and of each half of a word. */
function interesting(profile: Seccomp): readonly bigint[] {
  const own = (profile.syscalls ?? []).flatMap(({ args = [] }) =>
    args.flatMap(({ value, valueTwo = 0 }) => [BigInt(value), BigInt(valueTwo)]),
  )
  const all = own.flatMap((value) => [
    value,
    value + 1n,
    value - 1n,
    value ^ (1n << 32n),
    value << 32n,
    value & 0xffffffffn,
  ])
  return [...all, 0n, 1n, U64, 2n ** 32n, 2n ** 31n].map((value) => BigInt.asUintN(64, value))
}

/** Calls that a profile is likely to have an opinion about, and any other. */
function calls(profile: Seccomp): fc.Arbitrary<Call> {
  const names = (profile.syscalls ?? []).flatMap((entry) => entry.names)
  const values = fc.oneof(fc.constantFrom(...interesting(profile)), fc.bigInt(0n, U64))
  const args = fc.array(values, { minLength: 6, maxLength: 6 })
  const abi = fc.constantFrom(...ABIS)
  const ofName = fc
    .tuple(abi, fc.constantFrom(...names, 'read'), fc.integer({ min: -1, max: 1 }))
    .map(([which, name, near]) => [which, Math.max(0, (NUMBERS[which].get(name) ?? 0) + near)] as const)
  const any = fc.tuple(abi, fc.oneof(fc.nat(600), fc.nat(0x3fffffff)))
  const numbered = fc.tuple(fc.oneof(ofName, ofName, any), args).map(([[which, number], list]) => {
    // Registers of a 32-bit program have 32 bits.
    const bits = which === 'SCMP_ARCH_X86_64' ? 64 : 32
    return callOf(
      which,
      number,
      list.map((value) => BigInt.asUintN(bits, value)),
    )
  })
  const foreign = fc.tuple(fc.nat(600), fc.constantFrom(0, 0xc00000b7, 0xffffffff)).map(([nr, arch]) => ({ nr, arch }))
  return fc.oneof({ weight: 30, arbitrary: numbered }, { weight: 1, arbitrary: foreign })
}

function profiles(): readonly (readonly [string, Seccomp])[] {
  const names = [...new Set(ABIS.flatMap((abi) => [...NUMBERS[abi].keys()]))]
  const own = JSON.parse(JSON.stringify(seccompProfile(names))) as Seccomp
  const directory = process.env['TSRUNC_BUNDLES']
  const files = directory === undefined ? [] : readdirSync(directory).filter((name) => name.endsWith('.json'))
  const others = files.flatMap((name) => {
    const { linux } = JSON.parse(readFileSync(join(directory ?? '', name), 'utf8')) as { linux?: { seccomp?: Seccomp } }
    return linux?.seccomp === undefined ? [] : [[name, linux.seccomp] as const]
  })
  return [["of the shape of engines' default", own], ...others]
}

const action = fc.constantFrom(...Object.keys(SECCOMP_ACTIONS))
const errno = fc.option(fc.nat(200), { nil: undefined })
const value = fc.oneof(
  fc.nat(20),
  fc.constantFrom(0xffffffffn, 2n ** 32n, 2n ** 32n + 5n, U64, 2n ** 63n),
  fc.bigInt(0n, U64),
)
const argument = fc
  .record({ index: fc.nat(5), value, valueTwo: value, op: fc.constantFrom(...Object.keys(SECCOMP_OPERATORS)) })
  // A value with bits outside of its mask can never be there, and libseccomp takes the mask of it.
  .map((one) =>
    one.op === 'SCMP_CMP_MASKED_EQ' ? { ...one, valueTwo: BigInt(one.valueTwo) & BigInt(one.value) } : one,
  )
const NAMES = [
  'read',
  'write',
  'open',
  'openat',
  'clone',
  'personality',
  'socket',
  'futex',
  'openat2',
  'mmap',
  'ioctl',
  'no_such',
]

type Rest = Omit<SeccompSyscall, 'names'>
type Conditions = readonly SeccompArg[]
const EQ = ['SCMP_CMP_EQ', 'SCMP_CMP_MASKED_EQ'] as const
const only = (ops: readonly string[]) => argument.filter(({ op }) => ops.includes(op))
const distinct = (one: fc.Arbitrary<SeccompArg>, most: number): fc.Arbitrary<Conditions> =>
  fc.uniqueArray(one, { minLength: 1, maxLength: most, selector: ({ index }) => index })

/**
 * The entries about one name, with one action. Several comparisons about one argument are of equality: libseccomp 2.5.4
 * joins others wrongly (docs/FUZZING.md).
 */
const alternatives: fc.Arbitrary<readonly Conditions[]> = fc.oneof(
  fc.constant([[]]),
  distinct(argument, 4).map((one) => [one]),
  fc
    .tuple(fc.array(value, { minLength: 1, maxLength: 5 }), fc.nat(5))
    .map(([list, index]) => list.map((one) => [{ index, value: one, valueTwo: 0n, op: 'SCMP_CMP_EQ' }])),
  // Twice the same argument in one entry: one of the two must hold.
  fc
    .tuple(value, value, fc.nat(5))
    .map(([one, other, index]) => [
      [one, other].map((datum) => ({ index, value: datum, valueTwo: 0n, op: 'SCMP_CMP_EQ' })),
    ]),
  fc.array(distinct(only(EQ), 2), { minLength: 2, maxLength: 3 }),
  distinct(argument, 2).map((list) => list.map((one) => [one])),
)
const said = fc.record({ action, errnoRet: errno })
const withArgs = (
  { action: word, errnoRet }: { action: string; errnoRet: number | undefined },
  args: Conditions,
): Rest => ({
  action: word,
  ...(errnoRet === undefined ? {} : { errnoRet }),
  ...(args.length === 0 ? {} : { args }),
})
const AGREEING: fc.Arbitrary<readonly Rest[]> = fc
  .tuple(said, alternatives)
  .map(([what, lists]) => lists.map((args) => withArgs(what, args)))
/** One entry for some calls and another for all, in either order, with actions of their own. */
const CONTRADICTING: fc.Arbitrary<readonly Rest[]> = fc
  .tuple(said, said, distinct(argument, 3), fc.boolean())
  .map(([some, all, args, first]) => {
    const pair = [withArgs(some, args), withArgs(all, [])]
    return first ? pair : pair.reverse()
  })

/** Some names, each with its entries, in any order. */
function randomProfile(entries: fc.Arbitrary<readonly Rest[]>): fc.Arbitrary<Seccomp> {
  const named = fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), entries), {
    minLength: 1,
    maxLength: 6,
    selector: ([name]) => name,
  })
  const normal = action.filter((word) => word !== 'SCMP_ACT_NOTIFY')
  return fc
    .tuple(normal, errno, fc.subarray([...ABIS]), named)
    .map(([defaultAction, defaultErrnoRet, architectures, list]) => ({
      defaultAction,
      architectures,
      syscalls: list.flatMap(([name, rests]) => rests.map((rest) => ({ names: [name], ...rest }))),
      ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    }))
}

describe.skipIf(!HEADERS)('the program of a profile (skipped: no headers of x86-64)', () => {
  test.each(HEADERS ? profiles() : [])('%s answers as it is written', (_name, profile) => {
    holds(20_000, calls(profile), compared(profile))
  })

  const withCalls = (entries: fc.Arbitrary<readonly Rest[]>) =>
    randomProfile(entries).chain((profile) =>
      fc.tuple(fc.constant(profile), fc.array(calls(profile), { minLength: 60, maxLength: 60 })),
    )

  test('with one action for each name answers as it is written', () => {
    holds(600, withCalls(AGREEING), ([profile, list]) => {
      list.forEach(compared(profile))
    })
  })

  test('whose entries contradict each other answers as one of them', () => {
    holds(300, withCalls(CONTRADICTING), ([profile, list]) => {
      list.forEach(compared(profile))
    })
  })
})
