/** What failed in a report of vitest's JSON reporter, and a report in which some files were tried again. */

/** What is read here; `status` and `message` of a file tell of one that could not be loaded or prepared. */
export interface FailedReport {
  readonly testResults: readonly FailedFile[]
}

interface FailedFile {
  /** Absolute path of the test file. */
  readonly name: string
  readonly status?: string
  readonly message?: string
  readonly assertionResults: readonly {
    readonly fullName: string
    readonly status: string
    readonly failureMessages?: readonly string[]
  }[]
}

export interface Failure {
  readonly file: string
  /** Empty where the file as a whole failed. */
  readonly test: string
  /** The first lines of what it said. */
  readonly message: string
}

/** In one line, of a length that a list of them can have. */
const beginning = (text: string | undefined): string => (text ?? '').split('\n').slice(0, 3).join(' ').slice(0, 300)

/** Every test that failed, and every file that failed without a test. */
export const failedIn = (report: FailedReport): readonly Failure[] =>
  report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults
      .filter((result) => result.status === 'failed')
      .map(({ fullName, failureMessages }) => ({
        file: name,
        test: fullName,
        message: beginning(failureMessages?.[0]),
      }))
    return tests.length > 0 || status !== 'failed' ? tests : [{ file: name, test: '', message: beginning(message) }]
  })

/** The first report, with the files of the second in place of its own. */
export const withSecondTry = <Report extends FailedReport>(first: Report, second: FailedReport): Report => {
  const again = new Map(second.testResults.map((file) => [file.name, file]))
  return { ...first, testResults: first.testResults.map((file) => again.get(file.name) ?? file) }
}
