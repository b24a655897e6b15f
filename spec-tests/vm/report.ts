/** Results of tests in the form that vitest's JSON reporter writes; only what is read or written here. */
export interface Report {
  readonly testResults: readonly FileResult[]
}

export interface FileResult {
  /** Absolute path of the test file. */
  readonly name: string
  readonly assertionResults: readonly TestResult[]
}

export type Status = 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled'

export interface TestResult {
  /** The titles around it, outermost first, and its own. */
  readonly fullName: string
  readonly title: string
  readonly ancestorTitles: readonly string[]
  readonly status: Status
  /** Milliseconds. */
  readonly duration?: number
  readonly failureMessages: readonly string[]
  readonly meta: Meta
}

/** What the harness says of a test; spec-tests/lib/harness.ts. */
export interface Meta {
  readonly proves?: readonly string[]
  readonly deviates?: string
  /** What the machine lacks. */
  readonly unmet?: string
  /** The virtual machine that the result is of. */
  readonly machine?: string
}

/** One test and the file that it is in. */
export interface Located extends TestResult {
  readonly file: string
}

export const testsOf = (report: Report): readonly Located[] =>
  report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((result) => ({ ...result, file: name })),
  )

/** Names one test among all. */
export const keyOf = ({ file, fullName }: { readonly file: string; readonly fullName: string }): string =>
  `${file}\n${fullName}`

const hasStatus = (status: Status, tests: readonly TestResult[]): number =>
  tests.filter((test) => test.status === status).length

/** The tests as a report, by file. */
export const reportOf = (tests: readonly Located[], startTime: number): Report & Readonly<Record<string, unknown>> => {
  const files = new Map<string, TestResult[]>()
  for (const { file, ...test } of tests) {
    const list = files.get(file) ?? []
    list.push(test)
    files.set(file, list)
  }
  const failed = hasStatus('failed', tests)
  return {
    numTotalTests: tests.length,
    numPassedTests: hasStatus('passed', tests),
    numFailedTests: failed,
    numPendingTests: hasStatus('skipped', tests),
    startTime,
    success: failed === 0,
    testResults: [...files].map(([name, assertionResults]) => ({
      name,
      status: hasStatus('failed', assertionResults) === 0 ? 'passed' : 'failed',
      message: '',
      assertionResults,
    })),
  }
}

/** Whether the test was skipped for want of something. */
export const isUnmet = ({ meta }: TestResult): boolean => meta.unmet !== undefined
