import type { Requirement } from '../requirements'
import type { TestResult } from './results'

/** Whether a runtime keeps a rule, by the tests that prove it. */
export type Mark = 'holds' | 'deviates' | 'fails' | 'not run'

/** A rule, and what is known of it of one runtime. */
export interface Proof {
  readonly mark: Mark
  /** Why it deviates, or why no test ran; each reason once. */
  readonly reasons: readonly string[]
  /** The virtual machines that were needed. */
  readonly machines: readonly string[]
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts.filter((text) => text !== ''))].sort()

const markOf = (results: readonly TestResult[]): Mark => {
  const has = (outcome: TestResult['outcome']): boolean => results.some((result) => result.outcome === outcome)
  if (has('failed')) {
    return 'fails'
  }
  if (has('deviates')) {
    return 'deviates'
  }
  return has('passed') ? 'holds' : 'not run'
}

/** What the tests of one runtime say of a rule. */
export const proofOf = ({ id }: Requirement, results: readonly TestResult[]): Proof => {
  const own = results.filter(({ proves }) => proves.includes(id))
  const mark = markOf(own)
  const outcome = mark === 'deviates' ? 'deviates' : 'unmet'
  const reasons = mark === 'holds' ? [] : unique(own.filter((one) => one.outcome === outcome).map(({ why }) => why))
  const machines = unique(own.filter((one) => one.outcome === 'passed').map(({ machine }) => machine ?? ''))
  return { mark, reasons, machines }
}

/** A file, and how many of its tests prove a rule. */
export interface Source {
  readonly file: string
  readonly count: number
}

/** The files with the tests that prove a rule. */
export const sourcesOf = ({ id }: Requirement, results: readonly TestResult[]): Source[] => {
  const files = results.filter(({ proves }) => proves.includes(id)).map(({ file }) => file)
  return unique(files).map((file) => ({ file, count: files.filter((other) => other === file).length }))
}

/**
 * What is wrong with the proof of the rules: one that no test proves and that does not say why, one that says so although a
 * test proves it, a test that fails.
 *
 * @param everything whether all that can run has run: then a rule whose tests did not run counts as not proven
 */
export const faultsOf = (
  requirements: readonly Requirement[],
  tsrunc: readonly TestResult[],
  everything: boolean,
): string[] =>
  requirements.flatMap((requirement) => {
    const { id, rule, unproven } = requirement
    const { mark, reasons } = proofOf(requirement, tsrunc)
    if (mark === 'fails' || mark === 'deviates') {
      return [`${id}: a test ${mark}: ${rule}`]
    }
    if (unproven !== undefined) {
      return mark === 'holds' ? [`${id}: is said to have no proof (${unproven}), but tests prove it`] : []
    }
    if (sourcesOf(requirement, tsrunc).length === 0) {
      return [`${id}: no test proves it: ${rule}`]
    }
    const isMissing = everything && mark === 'not run'
    return isMissing ? [`${id}: its tests did not run (${reasons.join('; ')}): ${rule}`] : []
  })

/** Tests of any runtime that failed, whether they prove a rule or not. */
export const failuresOf = (runtime: string, results: readonly TestResult[]): string[] =>
  results
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ file, title, machine }) => {
      const where = machine === undefined ? '' : ` in the machine ${machine}`
      return `${runtime}${where} fails: ${file}: ${title}`
    })
