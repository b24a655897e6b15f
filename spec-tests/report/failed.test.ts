import { expect, test } from 'vitest'
import { type FailedReport, failedIn, withSecondTry } from './failed'

const report = (...files: FailedReport['testResults']): FailedReport => ({ testResults: files })
const result = (fullName: string, status: string, ...failureMessages: string[]) => ({
  fullName,
  status,
  failureMessages,
})

test('a failure is named with the first lines of what it said', () => {
  const file = {
    name: '/x/a.test.ts',
    status: 'failed',
    assertionResults: [result('good', 'passed'), result('bad', 'failed', 'Error: no\nwhy\nhow\n  at y')],
  }
  expect(failedIn(report(file))).toEqual([{ file: '/x/a.test.ts', test: 'bad', message: 'Error: no why how' }])
})

test('a file that could not be prepared fails as a whole', () => {
  const file = {
    name: '/x/a.test.ts',
    status: 'failed',
    message: 'hook timed out\nmore',
    assertionResults: [result('t', 'skipped')],
  }
  expect(failedIn(report(file))).toEqual([{ file: '/x/a.test.ts', test: '', message: 'hook timed out more' }])
})

test('a second try counts in place of the first, file by file', () => {
  const bad = { name: '/x/a.test.ts', status: 'failed', assertionResults: [result('t', 'failed', 'Error')] }
  const worse = { name: '/x/b.test.ts', status: 'failed', assertionResults: [result('u', 'failed', 'Error')] }
  const mended = { name: '/x/a.test.ts', status: 'passed', assertionResults: [result('t', 'passed')] }
  expect(withSecondTry(report(bad, worse), report(mended))).toEqual(report(mended, worse))
})
