import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../lib/config'
import { type FailedReport, type Failure, failedIn, withSecondTry } from './failed'

const USAGE = `usage: tsx spec-tests/report/again.ts names REPORT…      the tests that failed, and why
       tsx spec-tests/report/again.ts files REPORT       the files that they are in, if they are few (at most 12 tests): else fails
       tsx spec-tests/report/again.ts merge REPORT AGAIN  puts the results of a second try into REPORT

Reports are of vitest's JSON reporter. One that is not there, or of another kind, names nothing.
`
/** More than these is no accident of a busy machine. */
const FEW = 12

const read = (path: string): FailedReport => JSON.parse(readFileSync(path, 'utf8')) as FailedReport

const failures = (path: string): readonly Failure[] => {
  const report: Partial<FailedReport> = existsSync(path) ? read(path) : {}
  return report.testResults === undefined ? [] : failedIn({ testResults: report.testResults })
}

const describe = ({ file, test, message }: Failure): string =>
  `${relative(REPOSITORY, file)}: ${test === '' ? 'the file as a whole' : test}: ${message}\n`

const names = (paths: readonly string[]): number => {
  for (const failure of paths.flatMap(failures)) process.stdout.write(describe(failure))
  return 0
}

const files = (path: string): number => {
  const failed = failures(path)
  if (failed.length > FEW) return 1
  for (const file of new Set(failed.map((failure) => failure.file))) process.stdout.write(`${file}\n`)
  return failed.length === 0 ? 1 : 0
}

const merge = (path: string, again: string): number => {
  writeFileSync(path, `${JSON.stringify(withSecondTry(read(path), read(again)))}\n`)
  return 0
}

const main = (): number => {
  const [verb, ...paths] = parseArgs({ allowPositionals: true }).positionals
  const [first, second] = paths
  if (verb === 'names') return names(paths)
  if (verb === 'files' && first !== undefined) return files(first)
  if (verb === 'merge' && first !== undefined && second !== undefined) return merge(first, second)
  process.stderr.write(USAGE)
  return 2
}

process.exitCode = main()
