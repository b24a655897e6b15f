import { shownPointer } from '../errors'
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
  /** What to do about it. */
  readonly suggestion?: string | undefined
  /** Page and section of the specification, as in `config.md "Hostname"`. */
  readonly section: string
  /** Where it stands, if that is not where the value at the pointer begins: at the value's name, or at an offset of the text. */
  readonly at?: 'name' | number
}

/** Tells of a fault: its pointer, the end of a sentence that begins with it, and what to do about it. */
export type Report = (pointer: string, message: string, suggestion?: string) => void

/** What JSON schema cannot say: a relation of several properties, or a form that has its own story. */
export interface Rule {
  readonly id: string
  readonly section: string
  readonly severity: Severity
  /**
   * Properties whose absence means something to the rule, as pointers in which * is any step, or the same one as in the
   * pointer that is reported. Where the schema has refused one of them it only seems to be absent, and what the rule says
   * would be a consequence of that.
   */
  readonly restsOn?: readonly string[]
  readonly check: (spec: Spec, report: Report) => void
}

/** A fault as a sentence, as in `config.json /process/cwd: must be …`. */
export const describeFault = (path: string, { pointer, message, suggestion }: Fault): string =>
  `${path}${pointer === '' ? '' : ` ${shownPointer(pointer)}`}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`
