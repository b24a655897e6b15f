import { expect, test } from 'vitest'
import { MACHINES, providesAll } from './machines'
import { type Located, reportOf } from './report'

const machinesFor = (unmet: string): readonly string[] =>
  MACHINES.filter((machine) => providesAll(machine, unmet)).map(({ name }) => name)

test.each([
  ['needs cgroup-v2', ['newest', 'selinux', 'oldest']],
  ['needs cgroup-v2, apparmor', ['newest', 'oldest']],
  ['needs selinux', ['selinux']],
  ['needs the cgroup controller net_cls', ['v1', 'hybrid']],
  ['needs the cgroup controller memory, the cgroup controller pids', ['newest', 'selinux', 'oldest', 'v1', 'hybrid']],
  ['needs a host without resctrl', []],
])('a test that %s runs in %j', (unmet, names) => {
  expect(machinesFor(unmet)).toEqual(names)
})

test('a report counts its tests and keeps them by file', () => {
  const test = { fullName: 't', title: 't', ancestorTitles: [], failureMessages: [], meta: {} } as const
  const tests: readonly Located[] = [
    { ...test, file: '/a', status: 'passed' },
    { ...test, file: '/b', status: 'failed' },
    { ...test, file: '/a', status: 'skipped' },
  ]
  expect(reportOf(tests, 5)).toEqual({
    numTotalTests: 3,
    numPassedTests: 1,
    numFailedTests: 1,
    numPendingTests: 1,
    startTime: 5,
    success: false,
    testResults: [
      {
        name: '/a',
        status: 'passed',
        message: '',
        assertionResults: [
          { ...test, status: 'passed' },
          { ...test, status: 'skipped' },
        ],
      },
      { name: '/b', status: 'failed', message: '', assertionResults: [{ ...test, status: 'failed' }] },
    ],
  })
})
