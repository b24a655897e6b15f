import { describe, expect, test } from 'vitest'
import type { Requirement } from '../requirements'
import { failuresOf, faultsOf, proofOf, sourcesOf } from './proof'
import { mergeResults, resultsOf, type TestResult } from './results'

const rule: Requirement = { id: 'MNT-1a', section: 'config.md#mounts', kind: 'MUST', rule: 'In order.' }

const result = (outcome: TestResult['outcome'], more: Partial<TestResult> = {}): TestResult => ({
  title: '',
  file: 'spec-tests/suites/config/mounts.test.ts',
  proves: ['MNT-1a'],
  outcome,
  why: '',
  machine: undefined,
  ...more,
})

test('a report of vitest is read with what the harness says', () => {
  const assertion = (status: string, meta: object) => ({ title: 't', status, meta: { proves: ['MNT-1a'], ...meta } })
  const assertionResults = [
    assertion('passed', { machine: 'v2' }),
    assertion('skipped', { deviates: 'sets the sticky bit' }),
    assertion('skipped', { unmet: 'needs userns' }),
    assertion('skipped', {}),
    assertion('failed', {}),
  ]
  const results = resultsOf({
    testResults: [{ name: `${process.cwd()}/spec-tests/suites/x.test.ts`, assertionResults }],
  })
  expect(results.map(({ outcome, why }) => [outcome, why])).toEqual([
    ['passed', ''],
    ['deviates', 'sets the sticky bit'],
    ['unmet', 'needs userns'],
    ['not asked', ''],
    ['failed', ''],
  ])
  expect(results[0]).toMatchObject({ file: 'spec-tests/suites/x.test.ts', machine: 'v2' })
})

test('a rule holds when a test passed and none deviates or fails', () => {
  expect(proofOf(rule, [result('passed'), result('unmet', { why: 'needs x' })])).toEqual({
    mark: 'holds',
    reasons: [],
    machines: [],
  })
  expect(proofOf(rule, [result('passed'), result('deviates', { why: 'late' })])).toMatchObject({
    mark: 'deviates',
    reasons: ['late'],
  })
  expect(proofOf(rule, [result('passed'), result('failed')]).mark).toBe('fails')
  expect(proofOf(rule, [result('unmet', { why: 'needs x' })])).toMatchObject({ mark: 'not run', reasons: ['needs x'] })
  expect(proofOf(rule, [result('passed', { proves: ['MNT-1b'] })]).mark).toBe('not run')
})

test('files are named once, in order, with the number of their tests', () => {
  const other = result('passed', { file: 'a.test.ts' })
  expect(sourcesOf(rule, [result('passed'), other, result('unmet')])).toEqual([
    { file: 'a.test.ts', count: 1 },
    { file: 'spec-tests/suites/config/mounts.test.ts', count: 2 },
  ])
})

describe('results of virtual machines', () => {
  const on = (machine: string, outcome: TestResult['outcome']) => result(outcome, { machine, why: machine })
  const merged = (host: TestResult, ...machines: TestResult[]) =>
    mergeResults(
      [host],
      machines.map((one) => [one]),
    )

  test('count for what the host could not run, the first that could', () => {
    const unmet = result('unmet', { why: 'needs x' })
    expect(merged(unmet, on('a', 'unmet'), on('b', 'passed'), on('c', 'deviates'))).toEqual([on('b', 'passed')])
    expect(merged(unmet, on('a', 'unmet'))).toEqual([unmet])
    expect(merged(result('passed'), on('a', 'passed'))).toEqual([result('passed')])
  })

  test('a failure in any of them counts more', () => {
    expect(merged(result('passed'), on('a', 'passed'), on('b', 'failed'))).toEqual([on('b', 'failed')])
    expect(failuresOf('tsrunc', [{ ...on('b', 'failed'), title: 't' }])).toEqual([
      'tsrunc in the machine b fails: spec-tests/suites/config/mounts.test.ts: t',
    ])
  })

  test('a rule that they prove is shown as such', () => {
    expect(proofOf(rule, [on('b', 'passed')])).toEqual({ mark: 'holds', reasons: [], machines: ['b'] })
  })
})

test('a rule that no test proves is a fault, unless it says why', () => {
  expect(faultsOf([rule], [], false)).toEqual(['MNT-1a: no test proves it: In order.'])
  expect(faultsOf([{ ...rule, unproven: 'no host has it' }], [], false)).toEqual([])
})

test('a reason that is no longer true is a fault', () => {
  expect(faultsOf([{ ...rule, unproven: 'no host has it' }], [result('passed')], false)).toHaveLength(1)
})

test('a rule whose tests did not run is a fault where everything should have run', () => {
  const tests = [result('unmet', { why: 'needs cgroup-v2' })]
  expect(faultsOf([rule], tests, false)).toEqual([])
  expect(faultsOf([rule], tests, true)).toEqual(['MNT-1a: its tests did not run (needs cgroup-v2): In order.'])
})

test('a test that fails is a fault', () => {
  expect(faultsOf([rule], [result('passed'), result('failed')], false)).toHaveLength(1)
})
