import { expect, test } from 'vitest'
import { freeWords, turned } from './free-words'

test('an ID and the paths that a caller gives', () => {
  const argv = ['--root', '/run/x', 'create', '--pid-file', '/run/p.pid', '--bundle', '/srv/b', 'one']
  expect(freeWords(argv, { 'pid-file': '/run/p.pid', bundle: '/srv/b' }, 'one')).toEqual([
    { index: 7, kind: 'id' },
    { index: 4, kind: 'path' },
  ])
})

test('the ID of a container that is there is none of them', () => {
  const argv = ['exec', '--process', '/tmp/p1', '--exec-id', 'e1', 'one']
  expect(freeWords(argv, { process: '/tmp/p1', 'exec-id': 'e1' }, undefined)).toEqual([
    { index: 4, kind: 'id' },
    { index: 2, kind: 'path' },
  ])
})

test.each([
  ['run', '--pid-file=/run/p', 'a'],
  ['run', '--pid-file', 'p', 'a'],
  ['run', '--pid-file', '/run/../p', 'a'],
  ['run', '--pid-file', '/run//p', 'a'],
  ['run', '--pid-file', '/run/p/', 'a'],
  ['run', '--pid-file', '/run/p q', 'a'],
  ['run', '--pid-file', '/_', 'a'],
  ['run', '--pid-file', '/.../--', 'a'],
  ['run', '--pid-file=/w', '--cwd', '/w', 'a'],
  ['run', '--pid-file', '/p', '--console-socket', '/p', 'a'],
])('what is not plain, or stands there twice, is not free: %j', (...argv) => {
  const value = argv[1]?.split('=')[1] ?? argv[2]
  expect(freeWords(argv, { 'pid-file': value }, undefined)).toEqual([])
})

test.each(['', '.', '..', '_', 'a.b', 'a+b', '-a', 'a/b', 'ä'])('the ID %j is not free', (id) => {
  expect(freeWords(['run', id], {}, id)).toEqual([])
})

test('another word has nothing of the first', () => {
  expect(turned('aZ9_-x0/.y')).toBe('bA0_-y1/.z')
})
