import { describe, expect, test } from 'vitest'
import { fullConfig, minimalConfig, put, toJson } from './fixtures'
import { inspectSpec, loadProcess } from './load'
import { RULES } from './rules'

const found = (config: unknown): readonly (readonly [string, string])[] =>
  inspectSpec(toJson(config)).faults.map(({ rule, pointer }) => [rule, pointer])

/** Every value within the full config, by its pointer. */
function* pointers(value: unknown, pointer = ''): Iterable<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    const inner = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    yield inner
    yield* pointers(member, inner)
  }
}

describe('a value that the schema refuses', () => {
  test('does not make the rules say what is not so, wherever it stands', () => {
    expect(found(fullConfig())).toEqual([])
    for (const pointer of pointers(fullConfig())) {
      for (const value of [1.5, 'a\0b']) {
        const { faults } = inspectSpec(toJson(put(fullConfig(), pointer, value)))
        const consequences = faults.filter((fault) => RULES.some(({ id }) => id === fault.rule))
        expect(consequences, pointer).toEqual([])
      }
    }
  })

  test('hides no fault beside it', () => {
    const config = put(put(minimalConfig(), '/process/cwd', 'a'), '/process/terminal', 'yes')
    put(config, '/mounts', [
      { destination: 5 },
      { destination: 'relative' },
      { destination: '/b', options: ['bind', 7] },
      { destination: '/c', source: '/', options: ['bind', 'size=1'] },
    ])
    put(config, '/linux/namespaces', [{ type: 'mount' }, { type: 'nett' }, { type: 'mount' }])
    expect(found(config)).toEqual([
      ['nonEmpty', '/mounts/0/destination'],
      ['type', '/mounts/2/options/1'],
      ['type', '/process/terminal'],
      ['enum', '/linux/namespaces/1/type'],
      ['mount-destination', '/mounts/1/destination'],
      ['mount-source', '/mounts/2/source'],
      ['mount-bind-data', '/mounts/3/options/1'],
      ['cwd-absolute', '/process/cwd'],
      ['namespace-unique', '/linux/namespaces/2/type'],
    ])
  })

  test('does not move what a sentence points at', () => {
    const rlimit = { type: 'RLIMIT_CORE', soft: 0, hard: 0 }
    const config = put(minimalConfig(), '/process/rlimits', [{ type: 5 }, rlimit, { type: 6 }, rlimit])
    const fault = inspectSpec(toJson(config)).faults.find(({ rule }) => rule === 'rlimit-unique')
    expect(fault).toMatchObject({
      pointer: '/process/rlimits/3/type',
      message: 'is RLIMIT_CORE, which /process/rlimits/1 has set already',
    })
  })

  test('is said once', () => {
    const config = put(put(minimalConfig(), '/process/args', 'sh'), '/ociVersion', 1)
    expect(found(config)).toEqual([
      ['type', '/ociVersion'],
      ['type', '/process/args'],
    ])
  })

  test('may be all there is', () => {
    for (const value of [null, 5, [], 'a']) expect(found(value)).toEqual([['type', '']])
    expect(found({})).toEqual([
      ['required', '/ociVersion'],
      ['required', '/root'],
    ])
    expect(found({ process: { args: [] } })).toEqual([
      ['required', '/ociVersion'],
      ['required', '/root'],
      ['required', '/process/cwd'],
      ['args-given', '/process/args'],
    ])
  })

  test('of a process alone', () => {
    const process = { cwd: '/', args: 'sh', env: ['A', 5, 'B'], scheduler: { policy: 5, nice: 90 } }
    expect(() => loadProcess(toJson(process), { path: 'process.json' })).toThrow(
      'process.json /env/1: must be a string, not 5 (write "5", in quotes); 4 more errors',
    )
  })
})

test('names of JavaScript are names like any other', () => {
  const text =
    '{"ociVersion": 1, "root": {"path": "a"}, "__proto__": [1], "annotations": {"__proto__": 5, "toString": "a"}}'
  expect(inspectSpec(Buffer.from(text)).faults.map(({ pointer }) => pointer)).toEqual([
    '/ociVersion',
    '/annotations/__proto__',
  ])
})
