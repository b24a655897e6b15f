import { expect, test } from 'vitest'
import { TsruncError } from '../errors'
import { minimalConfig, put, toJson } from './fixtures'
import { Lines, locateAll } from './json'
import { inspectSpec, loadProcess, loadSpec } from './load'

const OPTIONS = { path: 'config.json' }

function failure(run: () => unknown): TsruncError {
  try {
    run()
  } catch (error) {
    if (error instanceof TsruncError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a spec is loaded with its warnings', () => {
  const config = put(put(minimalConfig(), '/ociVersion', '1.9.0'), '/hostname', null)
  const { spec, warnings } = loadSpec(toJson(config), OPTIONS)
  expect(spec.root).toEqual({ path: 'rootfs' })
  expect(Object.hasOwn(spec, 'hostname')).toBe(false)
  expect(warnings.map(({ pointer, severity }) => [pointer, severity])).toEqual([
    ['/hostname', 'warning'],
    ['/ociVersion', 'warning'],
  ])
})

test('the first error is thrown, warnings before it or not', () => {
  const config = put(put(minimalConfig(), '/ociVersion', '0.9.0'), '/process/cwd', 'a')
  expect(failure(() => loadSpec(toJson(config), OPTIONS))).toMatchObject({
    code: 'CONFIG_INVALID',
    pointer: '/process/cwd',
    message: 'config.json /process/cwd: must be an absolute path, not "a"',
  })
})

test('what is not JSON has a line and a column', () => {
  expect(failure(() => loadSpec(Buffer.from('{\n  "root": }'), OPTIONS))).toMatchObject({
    code: 'CONFIG_SYNTAX',
    pointer: '',
    message: 'config.json line 2, column 11: expected a value, but found "}"',
  })
})

test('a name that stands twice has a pointer, a line and a column', () => {
  const text = '{"ociVersion": "1.0.0",\n "root": {"path": "a", "path": "b"}}'
  expect(failure(() => loadSpec(Buffer.from(text), { path: '/b/config.json' }))).toMatchObject({
    code: 'CONFIG_INVALID',
    pointer: '/root/path',
    message:
      '/b/config.json /root/path (line 2, column 24): the name "path" stands twice in one object (first at line 2, column 11)',
  })
})

test('a process alone has pointers of its own', () => {
  const process = { cwd: '/', args: ['sh'], env: ['A'], user: { uid: 'root' } }
  const load = () => loadProcess(toJson(process), { path: 'process.json' })
  expect(failure(load).message).toBe(
    'process.json /user/uid: must be an integer from 0 to 4294967294, not "root"; 1 more error',
  )
  process.user = { uid: 0 as unknown as string }
  expect(failure(load).message).toBe('process.json /env/0: must have the form "name=value", not "A"')
  process.env = []
  expect(load()).toEqual({ process, warnings: [] })
})

test('a process alone is checked for its scheduler too', () => {
  const process = { cwd: '/', args: ['sh'], scheduler: { policy: 'SCHED_FIFO' } }
  expect(failure(() => loadProcess(toJson(process), OPTIONS)).pointer).toBe('/scheduler/priority')
})

test('all faults are found at once, each with its place and its section', () => {
  const text = '{\n "ociVersion": 1,\n "root": {},\n "mounts": [\n  {"destination": ""}\n ]\n}'
  const { faults, value } = inspectSpec(Buffer.from(text))
  expect(value).toBeUndefined()
  const lines = new Lines(text)
  const places = locateAll(
    text,
    faults.map(({ pointer }) => pointer),
  )
  const found = faults.map(({ pointer, section }, index) => [
    pointer,
    lines.positionAt(places[index]?.offset ?? -1).line,
    section,
  ])
  expect(found).toContainEqual(['/ociVersion', 2, 'config.md "Specification version"'])
  expect(found).toContainEqual(['/root/path', 3, 'config.md "Root"'])
  expect(found).toContainEqual(['/mounts/0/destination', 5, 'config.md "Mounts"'])
  expect(found).toHaveLength(3)
})

test('NUL in a value that is used is refused, elsewhere it is ignored', () => {
  const bad = put(minimalConfig(), '/process/args/0', '/bin/true\0')
  expect(failure(() => loadSpec(toJson(bad), OPTIONS)).message).toBe(
    'config.json /process/args/0: must not contain a NUL character (\\u0000)',
  )
  const good = put(put(minimalConfig(), '/x', '\0'), '/annotations', { a: '\\u0000' })
  expect(loadSpec(toJson(good), OPTIONS).spec.annotations).toEqual({ a: '\\u0000' })
})

test('10,000 mounts and a megabyte in a string', () => {
  const mount = (index: number) => ({ destination: `/m/${index}`, source: '/srv', options: ['rbind', 'ro', 'nosuid'] })
  const config = put(
    minimalConfig(),
    '/mounts',
    Array.from({ length: 10_000 }, (_, index) => mount(index)),
  )
  put(config, '/process/args/1', '"\\\n'.repeat(350_000))
  const { spec } = loadSpec(toJson(config), OPTIONS)
  expect(spec.mounts).toHaveLength(10_000)
  expect(spec.process?.args?.[1]).toHaveLength(1_050_000)
})

test('10,000 faults are told apart', () => {
  const mounts = Array.from({ length: 10_000 }, () => ({ destination: '/m', type: 5, options: null }))
  const { faults } = inspectSpec(toJson(put(minimalConfig(), '/mounts', mounts)))
  expect(faults).toHaveLength(20_000)
  expect(faults.filter(({ severity }) => severity === 'error')).toHaveLength(10_000)
})
