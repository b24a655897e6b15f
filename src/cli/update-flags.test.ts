import { describe, expect, test } from 'vitest'
import { parse, UsageError } from './parse'
import { resourcesOfFlags } from './update-flags'
import { UPDATE_OPTIONS, type UpdateValues } from './update-options'

/** As defineVerb() hands them to the verb. */
const read = (...argv: string[]) => resourcesOfFlags(parse(argv, UPDATE_OPTIONS).values as UpdateValues)
const resources = (...argv: string[]): unknown => JSON.parse(Buffer.from(read(...argv).json).toString())

test.each([
  ['blkio-weight', '500', { blockIO: { weight: 500 } }],
  ['cpu-period', '100000', { cpu: { period: 100_000 } }],
  ['cpu-quota', '-1', { cpu: { quota: -1 } }],
  ['cpu-burst', '0', { cpu: { burst: 0 } }],
  ['cpu-share', '1024', { cpu: { shares: 1024 } }],
  ['cpu-rt-period', '7', { cpu: { realtimePeriod: 7 } }],
  ['cpu-rt-runtime', '8', { cpu: { realtimeRuntime: 8 } }],
  ['cpu-idle', '1', { cpu: { idle: 1 } }],
  ['cpuset-cpus', '0-3,7', { cpu: { cpus: '0-3,7' } }],
  ['cpuset-mems', '"', { cpu: { mems: '"' } }],
  ['kernel-memory', '1k', { memory: { kernel: 1024 } }],
  ['kernel-memory-tcp', '1k', { memory: { kernelTCP: 1024 } }],
  ['memory', '1k', { memory: { limit: 1024 } }],
  ['memory-reservation', '1k', { memory: { reservation: 1024 } }],
  ['memory-swap', '1k', { memory: { swap: 1024 } }],
  ['pids-limit', '-1', { pids: { limit: -1 } }],
])('--%s %s', (flag, value, expected) => {
  expect(resources(`--${flag}`, value)).toEqual(expected)
  const { names } = read(`--${flag}`, value)
  expect([...names.values()]).toEqual([`--${flag}`])
})

test('every flag but those that are no limit of a cgroup has its place', () => {
  const others = ['resources', 'memory-mode', 'l3-cache-schema', 'mem-bw-schema', 'dry-run']
  const flags = Object.keys(UPDATE_OPTIONS).filter((flag) => !others.includes(flag))
  expect(flags).toHaveLength(16)
  for (const flag of flags) expect(read(`--${flag}`, '1').names.size).toBe(1)
})

describe('bytes', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['-1', -1],
    ['007', 7],
    ['1b', 1],
    ['1k', 1024],
    ['1K', 1024],
    ['1kb', 1024],
    ['1KiB', 1024],
    ['64m', 64 * 1024 ** 2],
    ['64 MB', 64 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['0.0001g', 107_374],
    ['2t', 2 * 1024 ** 4],
    ['1p', 1024 ** 5],
  ])('%s is %d', (value, expected) => {
    expect(resources('--memory', value)).toEqual({ memory: { limit: expected } })
  })

  test('numbers are not rounded to what JavaScript can count', () => {
    expect(Buffer.from(read('--memory', '9223372036854771712').json).toString()).toBe(
      '{"memory":{"limit":9223372036854771712}}',
    )
    expect(Buffer.from(read('--memory', '8191p').json).toString()).toContain(String(8191n * 1024n ** 5n))
  })

  test.each(['12 parsecs', 'm', '1.m', '.5m', '1,5m', '-1m', '1e3', '0x10', ' 1', '1mm', '1  m', 'NaN', '1/2', '१'])(
    '%j is none',
    (value) => {
      expect(() => read('--memory', value)).toThrow(UsageError)
      expect(() => read('--memory', value)).toThrow(/of --memory: bytes, as in 67108864 or 64m/)
    },
  )
})

describe('numbers', () => {
  test.each(['many', '1.5', '1k', '+1', '0x1', '1e3', ' 1', '123456789012345678901', '--'])('%j is none', (value) => {
    expect(() => read('--pids-limit', value)).toThrow(UsageError)
    expect(() => read('--pids-limit', value)).toThrow(/of --pids-limit: a number/)
  })
})

test('flags of one controller are one object, an empty value is none, the last one counts', () => {
  expect(resources('--cpu-quota', '1', '--memory', '1m', '--cpu-period=2', '--cpuset-cpus', '')).toEqual({
    cpu: { quota: 1, period: 2 },
    memory: { limit: 1 << 20 },
  })
  expect(resources('--pids-limit', '1', '--pids-limit', '2')).toEqual({ pids: { limit: 2 } })
  expect(resources()).toEqual({})
})
