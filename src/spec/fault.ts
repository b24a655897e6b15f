import type { Spec } from './types'

export type Severity = 'error' | 'warning'

/** Something in config.json that the specification does not allow (error) or advises against (warning). */
export interface Fault {
  readonly severity: Severity
  /** Name of the rule, or of the schema's keyword. Permanent. */
  readonly rule: string
  /** JSON pointer; '' is the whole document. */
  readonly pointer: string
  /** The end of a sentence that begins with the pointer. */
  readonly message: string
  /** Page and section of the specification, as in `config.md "Hostname"`. */
  readonly section: string
}

export type Report = (pointer: string, message: string) => void

/** What JSON schema cannot say: a relation of several properties, or a form that has its own story. */
export interface Rule {
  readonly id: string
  readonly section: string
  readonly severity: Severity
  readonly check: (spec: Spec, report: Report) => void
}

/** A fault as a sentence, as in `config.json /process/cwd: must be …`. */
export const describeFault = (path: string, { pointer, message }: Fault): string =>
  `${path}${pointer === '' ? '' : ` ${pointer}`}: ${message}`
