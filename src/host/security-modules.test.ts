import { expect, test } from 'vitest'
import { isUnconfined } from './security-modules'

test.each([
  ['unconfined\n', true],
  ['unconfined', true],
  ['snap.lxd (unconfined)\n', true],
  ['docker-default (enforce)\n', false],
  ['a//&b (mixed)\n', false],
  ['', false],
])('the label %j of a process is none: %s', (label, none) => {
  expect(isUnconfined(label)).toBe(none)
})
