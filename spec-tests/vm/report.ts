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
  /** The virtual machine that the result is of, where the host could not run the test. */
  readonly machine?: string
  /** What the host lacks, of a test that a virtual machine has run. */
  readonly unmetOnHost?: string
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

/** The tests as a report, by file. */
export const reportOf = (tests: readonly Located[]): Report => {
  const files = new Map<string, TestResult[]>()
  for (const { file, ...test } of tests) {
    const list = files.get(file) ?? []
    list.push(test)
    files.set(file, list)
  }
  return { testResults: [...files].map(([name, assertionResults]) => ({ name, assertionResults })) }
}

/** Whether the host could not run the test. */
export const isUnmet = ({ meta }: TestResult): boolean => meta.unmet !== undefined

/**
 * The host's report with the results of the machines for what the host could not run: the first machine that could run it
 * counts. A failure in any machine counts more, also of a test that passed on the host.
 */
export const mergeReports = (host: Report, machines: readonly (readonly Located[])[]): Report => {
  const results = new Map<string, Located>()
  for (const test of machines.flat()) {
    const before = results.get(keyOf(test))
    if (!isUnmet(test) && (before === undefined || test.status === 'failed')) {
      results.set(keyOf(test), test)
    }
  }
  return reportOf(
    testsOf(host).map((test) => {
      const result = results.get(keyOf(test))
      if (result === undefined || (!isUnmet(test) && result.status !== 'failed')) {
        return test
      }
      const { unmet, ...meta } = test.meta
      return {
        ...result,
        file: test.file,
        meta: { ...meta, ...result.meta, ...(unmet === undefined ? {} : { unmetOnHost: unmet }) },
      }
    }),
  )
}
