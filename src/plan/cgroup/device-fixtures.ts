/** What the tests of devices compare with: the rules taken at their word. */
import fc from 'fast-check'
import type { DeviceRule } from '../../spec/types'
import { ACCESS } from './device-rules'

export interface Request {
  readonly type: 'b' | 'c'
  readonly major: number
  readonly minor: number
  /** One or more rights. */
  readonly access: string
}

/** What every container may do, as in the documentation of runc. */
const ALWAYS: readonly DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
    [136, -1],
  ].map(([major = -1, minor = -1]): DeviceRule => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
]

const any = (value: DeviceRule['major']): boolean => value === undefined || value < 0

const speaksOf = (rule: DeviceRule, request: Request, right: string): boolean =>
  (rule.type === undefined || rule.type === 'a' || rule.type === request.type) &&
  (any(rule.major) || Number(rule.major) === request.major) &&
  (any(rule.minor) || Number(rule.minor) === request.minor) &&
  (rule.access ?? '').includes(right)

/** Each right is decided by the last rule that speaks of it; none is given before the first rule. */
export const allowedByRules = (rules: readonly DeviceRule[], request: Request): boolean =>
  [...request.access].every(
    (right) => [...rules, ...ALWAYS].findLast((rule) => speaksOf(rule, request, right))?.allow ?? false,
  )

export const mask = (access: string): number =>
  [...access].reduce((sum, letter) => sum | ACCESS[letter as keyof typeof ACCESS], 0)

/** Few numbers, so that rules and requests meet. */
const major = fc.constantFrom(1, 5, 8, 10, 136)
const minor = fc.constantFrom(0, 2, 3, 229)
const access = fc.constantFrom('r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm')

export const someRule: fc.Arbitrary<DeviceRule> = fc.record(
  {
    allow: fc.boolean(),
    type: fc.constantFrom('a' as const, 'b' as const, 'c' as const),
    major: fc.oneof(major, fc.constant(-1)),
    minor: fc.oneof(minor, fc.constant(-1)),
    access,
  },
  { requiredKeys: ['allow', 'access'] },
)

export const someRequest: fc.Arbitrary<Request> = fc.record({
  type: fc.constantFrom('b' as const, 'c' as const),
  major,
  minor,
  access,
})
