/** What the sandbox says of a row. */
export interface Result {
  readonly engine: string
  readonly what: string
  readonly status: 'passed' | 'failed' | 'skipped'
  readonly milliseconds: number
  /** Why it failed or was skipped. */
  readonly message: string
}
