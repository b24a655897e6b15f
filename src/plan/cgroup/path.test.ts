import { expect, test } from 'vitest'
import { cgroupPath } from './path'

const at = (cgroupsPath: string | undefined): string =>
  cgroupPath({ ociVersion: '1.3.0', linux: cgroupsPath === undefined ? {} : { cgroupsPath } }, 'c1')

test.each([
  [undefined, '/c1'],
  ['', '/c1'],
  ['/docker/abc', '/docker/abc'],
  ['docker/abc', '/docker/abc'],
  ['//docker/./abc/', '/docker/abc'],
  ['system.slice:runc:abc', '/system.slice:runc:abc'],
  ['/a..b/...', '/a..b/...'],
])('config-linux.md "Cgroups Path": %s is %s', (given, path) => {
  expect(at(given)).toBe(path)
})

test.each(['..', '/a/../b', '../a', 'a/..', '/', '.', '//.'])('%s is refused', (given) => {
  expect(() => at(given)).toThrow(expect.objectContaining({ code: 'CGROUP_PATH', pointer: '/linux/cgroupsPath' }))
})
