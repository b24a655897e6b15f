/**
 * What a seccomp profile says of a system call, read as a person reads it (config-linux.md "Seccomp"): from top to bottom,
 * by names, with the numbers of the kernel's own headers. Knows neither libseccomp nor BPF.
 */
import { readFileSync } from 'node:fs'
import type { Seccomp, SeccompArg, SeccompSyscall } from '../spec/types'
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64, type Call } from './bpf'

const X32_BIT = 0x40000000

export const ABIS = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] as const
export type Abi = (typeof ABIS)[number]

/** Number by name, of <asm/unistd_*.h>. */
function numbers(file: string): ReadonlyMap<string, number> {
  const text = readFileSync(`/usr/include/x86_64-linux-gnu/asm/${file}`, 'latin1')
  const rows = text.matchAll(/^#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ )?(\d+)\)?$/gm)
  return new Map([...rows].map(([, name = '', number]) => [name, Number(number)]))
}

export const NUMBERS: Readonly<Record<Abi, ReadonlyMap<string, number>>> = {
  SCMP_ARCH_X86_64: numbers('unistd_64.h'),
  SCMP_ARCH_X86: numbers('unistd_32.h'),
  SCMP_ARCH_X32: numbers('unistd_x32.h'),
}

/** ABI and number within it. */
export function abiOf({ arch = AUDIT_ARCH_X86_64, nr }: Call): {
  readonly abi: Abi | undefined
  readonly number: number
} {
  if (arch === AUDIT_ARCH_I386) return { abi: 'SCMP_ARCH_X86', number: nr }
  if (arch !== AUDIT_ARCH_X86_64) return { abi: undefined, number: nr }
  return nr >= X32_BIT ? { abi: 'SCMP_ARCH_X32', number: nr - X32_BIT } : { abi: 'SCMP_ARCH_X86_64', number: nr }
}

export function callOf(abi: Abi, number: number, args: readonly bigint[]): Call {
  if (abi === 'SCMP_ARCH_X86') return { nr: number, arch: AUDIT_ARCH_I386, args }
  return { nr: abi === 'SCMP_ARCH_X32' ? number + X32_BIT : number, arch: AUDIT_ARCH_X86_64, args }
}

/** seccomp(2): SECCOMP_RET_* with its data. */
const KINDS: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
}
const ENOSYS = 0x00050026

/** "errnoRet": EPERM where it is absent. */
export function answerOf(action: string, errnoRet = 1): number {
  const kind = KINDS[action]
  if (kind === undefined) throw new Error(`no action: ${action}`)
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? kind + errnoRet : kind
}

/** seccomp_rule_add(3). A 32-bit ABI has arguments of 32 bits. */
function condition({ index, value, valueTwo = 0, op }: SeccompArg, args: readonly bigint[], bits: number): boolean {
  const [is, datum, other] = [args[index] ?? 0n, BigInt(value), BigInt(valueTwo)].map((n) => BigInt.asUintN(bits, n))
  if (is === undefined || datum === undefined || other === undefined) return false
  switch (op) {
    case 'SCMP_CMP_NE':
      return is !== datum
    case 'SCMP_CMP_LT':
      return is < datum
    case 'SCMP_CMP_LE':
      return is <= datum
    case 'SCMP_CMP_EQ':
      return is === datum
    case 'SCMP_CMP_GE':
      return is >= datum
    case 'SCMP_CMP_GT':
      return is > datum
    case 'SCMP_CMP_MASKED_EQ':
      return (is & datum) === other
    default:
      throw new Error(`no operator: ${op}`)
  }
}

/** All conditions hold; of several about one argument, one of all (as runc and crun read it). */
function matches({ args: conditions = [] }: SeccompSyscall, args: readonly bigint[], bits: number): boolean {
  const holds = conditions.map((one) => condition(one, args, bits))
  const twice = new Set(conditions.map(({ index }) => index)).size < conditions.length
  return twice ? holds.some(Boolean) : holds.every(Boolean)
}

/**
 * Numbers of calls of i386 that also go through socketcall(2) and ipc(2). libseccomp has no number for them that could be
 * compared, so that they do not count for what is the newest (as with runc).
 */
const isMultiplexed = (abi: Abi, number: number): boolean =>
  abi === 'SCMP_ARCH_X86' &&
  (number === 337 || number === 345 || (number >= 359 && number <= 373) || (number >= 393 && number <= 402))

/** A profile to be asked many times. `isKnown`: whether a name is one to libseccomp, which passes over others. */
export class Reading {
  readonly #profile: Seccomp
  readonly #abis: ReadonlySet<string>
  readonly #normal: number
  /** By ABI: name by number, and the highest number that the profile names. */
  readonly #names: Readonly<Record<Abi, ReadonlyMap<number, string>>>
  readonly #newest: Readonly<Record<Abi, number>>

  constructor(profile: Seccomp, isKnown: (name: string) => boolean) {
    this.#profile = profile
    this.#abis = new Set(['SCMP_ARCH_X86_64', ...(profile.architectures ?? [])])
    this.#normal = answerOf(profile.defaultAction, profile.defaultErrnoRet)
    const named = new Set((profile.syscalls ?? []).flatMap(({ names }) => names.filter(isKnown)))
    const each = <T>(read: (abi: Abi) => T) => Object.fromEntries(ABIS.map((abi) => [abi, read(abi)])) as Record<Abi, T>
    this.#names = each(
      (abi) => new Map([...NUMBERS[abi]].filter(([name]) => named.has(name)).map(([name, n]) => [n, name])),
    )
    this.#newest = each((abi) =>
      Math.max(-1, ...[...this.#names[abi].keys()].filter((number) => !isMultiplexed(abi, number))),
    )
  }

  /** The answers that are right: one, but where entries about one call say different things. */
  answers(call: Call): readonly number[] {
    const { abi, number } = abiOf(call)
    // "architectures": a call of another one is no call of this profile.
    if (abi === undefined || !this.#abis.has(abi)) return [0]
    // docs/ARCHITECTURE.md "Seccomp": what is newer than all that the profile names is not there.
    const lets = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(this.#profile.defaultAction)
    const newest = this.#newest[abi]
    if (!lets && this.#normal !== ENOSYS && newest >= 0 && number > newest) return [ENOSYS]
    const name = this.#names[abi].get(number)
    if (name === undefined) return [this.#normal]
    const bits = abi === 'SCMP_ARCH_X86_64' ? 64 : 32
    const found = (this.#profile.syscalls ?? []).filter(
      (entry) => entry.names.includes(name) && matches(entry, call.args ?? [], bits),
    )
    if (found.length === 0) return [this.#normal]
    return [...new Set(found.map(({ action, errnoRet }) => answerOf(action, errnoRet)))]
  }
}
