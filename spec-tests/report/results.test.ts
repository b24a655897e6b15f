import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readRuntime } from './results'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'report-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const write = (name: string, status: string, meta: object): void => {
  const assertionResults = [{ title: 't', status, meta: { proves: ['MNT-1a'], ...meta } }]
  const testResults = [{ name: '/anywhere/spec-tests/suites/x.test.ts', assertionResults }]
  writeFileSync(join(directory, name), JSON.stringify({ testResults }))
}

test('each runtime has its machines', () => {
  write('tsrunc.json', 'skipped', { unmet: 'needs cgroup-v2' })
  write('crun.json', 'skipped', { unmet: 'needs cgroup-v2' })
  write('vm-newest.json', 'passed', { machine: 'newest' })
  write('vm-v1.json', 'skipped', { unmet: 'needs cgroup-v2' })
  write('vm-crun-newest.json', 'skipped', { deviates: 'late' })
  write('sanitized.json', 'failed', {})
  expect(readRuntime(directory, 'tsrunc')).toMatchObject({
    tests: [{ file: 'spec-tests/suites/x.test.ts', outcome: 'passed', machine: 'newest' }],
    machines: ['newest', 'v1'],
  })
  expect(readRuntime(directory, 'crun')).toMatchObject({
    tests: [{ outcome: 'deviates', why: 'late', machine: 'newest' }],
    machines: ['newest'],
  })
})

test('results that are missing are an error that says who writes them', () => {
  expect(() => readRuntime(directory, 'runc')).toThrow('runc.json is not there: scripts/test writes it')
})
