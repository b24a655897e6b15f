/**
 * config-linux.md "Seccomp": the words of a profile and what libseccomp and the kernel call them (seccomp.h,
 * linux/seccomp.h). `errno`: the action takes an error number in its low 16 bits.
 */
export const SECCOMP_ACTIONS = {
  SCMP_ACT_ALLOW: { value: 0x7fff0000, errno: false },
  SCMP_ACT_ERRNO: { value: 0x00050000, errno: true },
  SCMP_ACT_KILL: { value: 0x00000000, errno: false },
  SCMP_ACT_KILL_PROCESS: { value: 0x80000000, errno: false },
  SCMP_ACT_KILL_THREAD: { value: 0x00000000, errno: false },
  SCMP_ACT_LOG: { value: 0x7ffc0000, errno: false },
  SCMP_ACT_NOTIFY: { value: 0x7fc00000, errno: false },
  SCMP_ACT_TRACE: { value: 0x7ff00000, errno: true },
  SCMP_ACT_TRAP: { value: 0x00030000, errno: false },
} as const satisfies Readonly<Record<string, { readonly value: number; readonly errno: boolean }>>

/** enum scmp_compare */
export const SECCOMP_OPERATORS = {
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_LE: 3,
  SCMP_CMP_LT: 2,
  SCMP_CMP_MASKED_EQ: 7,
  SCMP_CMP_NE: 1,
} as const satisfies Readonly<Record<string, number>>

/** Every architecture of the spec. Which of them the linked libseccomp can compile for is asked of it. */
export const SECCOMP_ARCHITECTURES = [
  'SCMP_ARCH_AARCH64',
  'SCMP_ARCH_ARM',
  'SCMP_ARCH_LOONGARCH64',
  'SCMP_ARCH_M68K',
  'SCMP_ARCH_MIPS',
  'SCMP_ARCH_MIPS64',
  'SCMP_ARCH_MIPS64N32',
  'SCMP_ARCH_MIPSEL',
  'SCMP_ARCH_MIPSEL64',
  'SCMP_ARCH_MIPSEL64N32',
  'SCMP_ARCH_PARISC',
  'SCMP_ARCH_PARISC64',
  'SCMP_ARCH_PPC',
  'SCMP_ARCH_PPC64',
  'SCMP_ARCH_PPC64LE',
  'SCMP_ARCH_RISCV64',
  'SCMP_ARCH_S390',
  'SCMP_ARCH_S390X',
  'SCMP_ARCH_SH',
  'SCMP_ARCH_SHEB',
  'SCMP_ARCH_X32',
  'SCMP_ARCH_X86',
  'SCMP_ARCH_X86_64',
] as const

/** SECCOMP_FILTER_FLAG_* of seccomp(2). */
export const SECCOMP_FLAGS = {
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_TSYNC: 1 << 0,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 1 << 5,
} as const satisfies Readonly<Record<string, number>>
