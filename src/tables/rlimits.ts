/** getrlimit(2): name to RLIMIT_* number, as on every architecture that tsrunc knows (asm-generic/resource.h). */
export const RLIMITS = {
  RLIMIT_AS: 9,
  RLIMIT_CORE: 4,
  RLIMIT_CPU: 0,
  RLIMIT_DATA: 2,
  RLIMIT_FSIZE: 1,
  RLIMIT_LOCKS: 10,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_NOFILE: 7,
  RLIMIT_NPROC: 6,
  RLIMIT_RSS: 5,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_STACK: 3,
} as const satisfies Readonly<Record<string, number>>
