import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { REPOSITORY } from '../lib/config'

/** What one test said of one runtime. */
export interface TestResult {
  readonly title: string
  /** Relative to the repository. */
  readonly file: string
  /** Identifiers of spec-tests/requirements. */
  readonly proves: readonly string[]
  readonly outcome: 'passed' | 'failed' | 'deviates' | 'unmet' | 'not asked'
  /** Why it deviates, or what is missing. */
  readonly why: string
  /** The virtual machine that it ran in, where the host could not run it. */
  readonly machine: string | undefined
}

/** What is read of a report of vitest's JSON reporter; spec-tests/lib/harness.ts writes `meta`. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly meta?: {
        readonly proves?: readonly string[]
        readonly deviates?: string
        readonly unmet?: string
        readonly machine?: string
      }
    }[]
  }[]
}

type Assertion = VitestReport['testResults'][number]['assertionResults'][number]

const outcomeOf = ({ status, meta }: Assertion): Pick<TestResult, 'outcome' | 'why'> => {
  if (status === 'passed' || status === 'failed') {
    return { outcome: status, why: '' }
  }
  if (meta?.deviates !== undefined) {
    return { outcome: 'deviates', why: meta.deviates }
  }
  return meta?.unmet === undefined ? { outcome: 'not asked', why: '' } : { outcome: 'unmet', why: meta.unmet }
}

/** The tests of a report. */
export const resultsOf = (report: VitestReport): TestResult[] =>
  report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((assertion) => ({
      title: assertion.title,
      file: relative(REPOSITORY, name),
      proves: assertion.meta?.proves ?? [],
      machine: assertion.meta?.machine,
      ...outcomeOf(assertion),
    })),
  )

/** The tests of a file that vitest's JSON reporter wrote. */
export const readResults = (path: string): TestResult[] =>
  resultsOf(JSON.parse(readFileSync(path, 'utf8')) as VitestReport)
