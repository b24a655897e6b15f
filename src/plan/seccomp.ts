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

/** A seccomp profile ready for libseccomp; compiled to BPF by native/addon/seccomp. */
export interface SeccompProgramRequest {
  readonly defaultAction: number
  /** SCMP_ARCH_* names; the native one is always in. */
  readonly architectures: readonly string[]
  readonly rules: readonly SeccompRule[]
  /** Sorts the filter as a binary tree where the profile has many rules. */
  readonly optimize: number
}
