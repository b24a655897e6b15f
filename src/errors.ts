/**
 * An error that a person reads. `message` is the whole story without the "tsrunc VERB:" in front (DESIGN of errors:
 * docs/ARCHITECTURE.md "Errors"); `code` is permanent (docs/ERRORS.md).
 */
export class TsruncError extends Error {
  readonly code: string
  /** JSON pointer into config.json, or ''. */
  readonly pointer: string

  constructor(code: string, message: string, options: { pointer?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TsruncError'
    this.code = code
    this.pointer = options.pointer ?? ''
  }
}
