import { expect, test } from 'vitest'
import { compare, type Judged } from './compare'
import { PEERS } from './expected'

const passes: Judged = { passed: true, why: '', left: [], output: '' }
const fails: Judged = { ...passes, passed: false, why: 'no such file' }
const everybody = (run: Judged) => ({ tsrunc: run, runc: run, crun: run })
const knownBad = { delete: { fails: PEERS, why: 'the program is wrong' } }

test('what passes without a line, and fails with one, is as expected', () => {
  expect(
    compare({ create: everybody(passes), delete: everybody(fails) }, PEERS, ['create', 'delete'], knownBad),
  ).toEqual([])
})

test('what fails without a line is told', () => {
  const found = compare({ create: { ...everybody(passes), tsrunc: fails } }, PEERS, undefined, {})
  expect(found.map(({ peer, text }) => [peer, text.split('\n')[0]])).toEqual([['tsrunc', 'fails: no such file']])
})

test('what passes in spite of its line is told', () => {
  expect(compare({ delete: everybody(passes) }, PEERS, undefined, knownBad)).toHaveLength(3)
})

test('peers of other versions are not judged', () => {
  expect(compare({ delete: everybody(passes) }, ['tsrunc'], undefined, knownBad)).toHaveLength(1)
})

test('what tsrunc leaves behind is told, although the program passes', () => {
  const left = { ...passes, left: ['cgroup /sys/fs/cgroup/pids/x'] }
  expect(compare({ create: everybody(left) }, PEERS, undefined, {}).map(({ peer }) => peer)).toEqual(['tsrunc'])
})

test('a line about a program that the suite does not have is told', () => {
  expect(compare({}, PEERS, ['create'], knownBad)).toHaveLength(1)
})
