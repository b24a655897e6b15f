/**
 * What a rule asks for. `ERROR`: the runtime must refuse, and leave nothing behind. `CALLERS`: not written in the
 * specification, yet runc and crun do it and the engines that call them rely on it.
 */
export type Kind = 'MUST' | 'SHOULD' | 'MAY' | 'ERROR' | 'CALLERS'

/** One rule of the specification in our own words; tests name it by its identifier. */
export interface Requirement {
  /** `AREA-NUMBER`, with a letter where a property has several rules. Never given to another rule. */
  readonly id: string
  /** File and heading of the specification, as in the titles of tests. */
  readonly section: string
  readonly kind: Kind
  readonly rule: string
  /** Why no test proves it. Without this a rule that no test proves is an error of docs/SPEC-CONFORMANCE.md. */
  readonly unproven?: string
}

type Row = readonly [id: string, kind: Kind, rule: string, unproven?: string]

/** The rules of one section. */
export const rulesOf = (section: string, rows: readonly Row[]): readonly Requirement[] =>
  rows.map(([id, kind, rule, unproven]) => ({
    id,
    section,
    kind,
    rule,
    ...(unproven === undefined ? {} : { unproven }),
  }))
