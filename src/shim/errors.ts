/** Codes of gRPC, which ttrpc uses too: what containerd tells its clients apart by. */
export const CODE = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

/** An answer that is an error. */
export class ShimError extends Error {
  readonly code: number
  constructor(code: keyof typeof CODE, message: string) {
    super(message)
    this.code = CODE[code]
  }

  /** What another one answered. */
  static of(code: number, message: string): ShimError {
    const error = new ShimError('unknown', message)
    return Object.assign(error, { code })
  }
}
