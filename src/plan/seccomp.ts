import { ByteWriter } from './byte-writer'

/** One rule with its words turned into what libseccomp takes. */
export interface SeccompRule {
  readonly name: string
  /** SCMP_ACT_* with its data, as a 32-bit number. */
  readonly action: number
  readonly conditions: readonly {
    readonly index: number
    /** enum scmp_compare: 1 NE, 2 LT, 3 LE, 4 EQ, 5 GE, 6 GT, 7 MASKED_EQ. */
    readonly op: number
    readonly value: bigint
    readonly valueTwo: bigint
  }[]
}

/** A seccomp profile ready for libseccomp; compiled to BPF by native/seccomp. */
export interface SeccompProgramRequest {
  readonly defaultAction: number
  /** SCMP_ARCH_* names; the native one is always in. */
  readonly architectures: readonly string[]
  readonly rules: readonly SeccompRule[]
  /** Sorts the filter as a binary tree where the profile has many rules. */
  readonly optimize: number
  /** A system call that libseccomp does not know is an error; otherwise its rules are passed over. */
  readonly failUnknown: boolean
}

/**
 * The request as native/seccomp/request.h decodes it, and as the cache of compiled programs is keyed by it.
 *
 *   u32 defaultAction, optimize, failUnknown; u32 count, str architectures
 *   u32 count of rules; each rule: str name, u32 action, u32 count of conditions;
 *   each condition: u32 index, op; u64 value, valueTwo
 */
export function encodeSeccompRequest(request: SeccompProgramRequest): Uint8Array {
  const writer = new ByteWriter()
  writer.u32(request.defaultAction)
  writer.u32(request.optimize)
  writer.u32(request.failUnknown ? 1 : 0)
  writer.u32(request.architectures.length)
  for (const name of request.architectures) writer.str(name)
  writer.u32(request.rules.length)
  for (const { name, action, conditions } of request.rules) {
    writer.str(name)
    writer.u32(action)
    writer.u32(conditions.length)
    for (const { index, op, value, valueTwo } of conditions) {
      writer.u32(index)
      writer.u32(op)
      writer.u64(value)
      writer.u64(valueTwo)
    }
  }
  return writer.finish()
}
