import { describe, expect, test } from 'vitest'
import type { Requirement } from '../requirements'
import { hostOf, skeletonOf, staleness } from './compare'
import { documentOf, type Facts } from './document'
import type { TestResult } from './results'

const rule: Requirement = { id: 'MNT-1a', section: 'config.md#mounts', kind: 'MUST', rule: 'In | order.' }

const result = (more: Partial<TestResult> = {}): TestResult => ({
  title: '',
  file: 'spec-tests/suites/config/mounts.test.ts',
  proves: ['MNT-1a'],
  outcome: 'passed',
  why: '',
  machine: undefined,
  ...more,
})

const run = (passed: boolean) => ({ passed, why: '', left: [], output: '' })

const facts = (more: Partial<Facts> = {}): Facts => ({
  requirements: [rule],
  tests: { tsrunc: [result()], runc: [result()], crun: [result({ outcome: 'deviates', why: 'late' })] },
  suite: Object.fromEntries(
    ['hostname', 'misc_props'].map((name) => {
      const one = run(name === 'hostname')
      return [name, { tsrunc: one, runc: one, crun: one }]
    }),
  ),
  host: 'Linux 6.18, cgroup v1',
  ...more,
})

const FIRST = documentOf(facts())

test('a document tells its host', () => {
  expect(hostOf(FIRST)).toBe('Linux 6.18, cgroup v1')
  expect(hostOf('# Conformance')).toBeUndefined()
})

test('the skeleton is rules, files and programs', () => {
  expect(skeletonOf(FIRST)).toEqual([
    '### config.md#mounts',
    'MNT-1a | MUST | In \\| order. | [mounts](../spec-tests/suites/config/mounts.test.ts)',
    '## The OCI conformance suite',
    'hostname',
    'misc_props',
  ])
})

describe('on the same host', () => {
  test('the same results are the same document', () => {
    expect(staleness(FIRST, documentOf(facts()))).toEqual([])
  })

  test('one more test, or another result, has to be written down', () => {
    const { tests } = facts()
    const more = documentOf(facts({ tests: { ...tests, tsrunc: [result(), result()] } }))
    expect(staleness(FIRST, more)).toEqual([expect.stringContaining('npm run conformance, then commit')])
    const other = documentOf(facts({ tests: { ...tests, crun: [result()] } }))
    expect(staleness(FIRST, other)).toHaveLength(1)
  })
})

describe('on another host', () => {
  const host = 'Linux 6.1, cgroup v2'

  test('other results are no difference', () => {
    const { tests } = facts()
    const unmet = result({ outcome: 'unmet', why: 'needs x' })
    const other = documentOf(facts({ host, tests: { ...tests, tsrunc: [unmet, unmet], crun: [result()] } }))
    expect(other).not.toBe(FIRST)
    expect(staleness(FIRST, other)).toEqual([])
  })

  test('another rule, file or program is one', () => {
    const { tests, suite } = facts()
    const changes: readonly Partial<Facts>[] = [
      { requirements: [rule, { ...rule, id: 'MNT-1b' }] },
      { requirements: [{ ...rule, rule: 'In any order.' }] },
      { tests: { ...tests, tsrunc: [result({ file: 'spec-tests/suites/config/other.test.ts' })] } },
      { suite: { ...suite, mounts: { tsrunc: run(true), runc: run(true), crun: run(true) } } },
    ]
    for (const change of changes) {
      expect(staleness(FIRST, documentOf(facts({ host, ...change })))).toHaveLength(1)
    }
  })

  test('no document at all is one', () => {
    expect(staleness('', FIRST)).toHaveLength(1)
  })
})
