import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TsruncError } from '../../errors'
import type { DeviceRule } from '../../spec/types'
import { allowedByRules, mask, type Request, someRequest, someRule } from './device-fixtures'
import { deviceListV1 } from './device-list'
import { devicePolicy } from './device-rules'
import type { Setting } from './setting'

interface Exception {
  readonly text: string
  readonly type: string
  readonly major: string
  readonly minor: string
  access: number
}

/** The kernel's security/device_cgroup.c, for one request. */
function allowedByKernel(settings: readonly Setting[], request: Request): boolean {
  let allowAll = true
  let exceptions: Exception[] = []
  for (const { file, value } of settings) {
    const allow = file === 'devices.allow'
    if (value === 'a') {
      allowAll = allow
      exceptions = []
      continue
    }
    const [type = '', numbers = '', access = ''] = value.split(' ')
    const [major = '', minor = ''] = numbers.split(':')
    const text = `${type} ${numbers}`
    const same = exceptions.find((exception) => exception.text === text)
    if (allow === allowAll) {
      if (same !== undefined) same.access &= ~mask(access)
    } else if (same !== undefined) same.access |= mask(access)
    else exceptions.push({ text, type, major, minor, access: mask(access) })
  }
  const matching = exceptions.filter(
    ({ type, major, minor, access }) =>
      type === request.type &&
      (major === '*' || Number(major) === request.major) &&
      (minor === '*' || Number(minor) === request.minor) &&
      (access & mask(request.access)) !== 0,
  )
  return matching.length > 0 ? !allowAll : allowAll
}

const list = (rules: readonly DeviceRule[]): readonly Setting[] => {
  const policy = devicePolicy(rules)
  return policy === undefined ? [] : deviceListV1(policy)
}

const texts = (rules: readonly DeviceRule[]): readonly string[] =>
  list(rules).map(({ file, value }) => `${file} ${value}`)

const ALWAYS = [
  'devices.allow c *:* m',
  'devices.allow b *:* m',
  'devices.allow c 1:3 rwm',
  'devices.allow c 1:5 rwm',
  'devices.allow c 1:7 rwm',
  'devices.allow c 1:8 rwm',
  'devices.allow c 1:9 rwm',
  'devices.allow c 5:0 rwm',
  'devices.allow c 5:1 rwm',
  'devices.allow c 5:2 rwm',
  'devices.allow c 136:* rwm',
]

test('what the kernel makes of the writes is what the rules say, for each right', () => {
  const right = fc.constantFrom('r', 'w', 'm')
  fc.assert(
    fc.property(fc.array(someRule, { minLength: 1, maxLength: 6 }), someRequest, right, (rules, request, access) => {
      let settings: readonly Setting[]
      try {
        settings = list(rules)
      } catch (error) {
        expect(error).toBeInstanceOf(TsruncError)
        return
      }
      expect(allowedByKernel(settings, { ...request, access })).toBe(allowedByRules(rules, { ...request, access }))
    }),
    { numRuns: 3000 },
  )
})

test('deny all: one write, and what every container may use', () => {
  expect(texts([{ allow: false, access: 'rwm' }])).toEqual(['devices.deny a', ...ALWAYS])
})

test('the last rule for everything makes those before it idle; a rule stated twice is written once', () => {
  const denyAll: DeviceRule = { allow: false, access: 'rwm' }
  const fuse = (allow: boolean): DeviceRule => ({ allow, type: 'c', major: 10, minor: 229, access: 'rwm' })
  const docker = [denyAll, fuse(true), fuse(false), denyAll, fuse(false), fuse(true)]
  expect(texts(docker)).toEqual(['devices.deny a', 'devices.allow c 10:229 rwm', ...ALWAYS])
  expect(texts([...docker, { allow: true, access: 'rwm' }])).toEqual(['devices.allow a'])
})

test('rules name their line, what every container may use names the list', () => {
  const [whole, rule, always] = list([
    { allow: false, access: 'rwm' },
    { allow: true, type: 'b', major: 8, access: 'r' },
  ])
  expect(whole?.pointer).toBe('/linux/resources/devices/0')
  expect(rule).toEqual({
    controller: 'devices',
    file: 'devices.allow',
    value: 'b 8:* r',
    pointer: '/linux/resources/devices/1',
    what: 'allow device b 8:* r',
  })
  expect(always?.pointer).toBe('/linux/resources/devices')
})

test('an exception from an exception is refused', () => {
  const rules: DeviceRule[] = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'b', major: 8, access: 'rw' },
    { allow: false, type: 'b', major: 8, minor: 1, access: 'w' },
  ]
  expect(() => texts(rules)).toThrow(
    expect.objectContaining({
      code: 'CGROUP_DEVICES',
      pointer: '/linux/resources/devices/2',
      message: expect.stringContaining('deny device b 8:1 w: it is part of b 8:* rw, which is allowed'),
    }),
  )
})

test('a rule without access is refused', () => {
  expect(() => texts([{ allow: true, type: 'c' }])).toThrow(
    expect.objectContaining({ code: 'CGROUP_VALUE', pointer: '/linux/resources/devices/0/access' }),
  )
})

test('20,000 rules are put in order in no time to speak of', () => {
  const rules = Array.from(
    { length: 20_000 },
    (_, index): DeviceRule => ({ allow: index % 3 !== 0, type: 'c', major: index % 10_000, minor: 1, access: 'rw' }),
  )
  const begin = performance.now()
  expect(texts(rules).length).toBeGreaterThan(5_000)
  expect(performance.now() - begin).toBeLessThan(10_000)
}, 60_000)
