import type { DeviceRule } from '../../spec/types'
import { DEFAULT_DEVICES } from '../../tables/devices'
import { cgroupError } from './setting'

/** BPF_DEVCG_ACC_* of linux/bpf.h. */
export const ACCESS = { m: 1, r: 2, w: 4 } as const
export const ALL_ACCESS = 7

/** One rule for devices of one type; `major`, `minor`: undefined is any. `access`: a mask of ACCESS. */
export interface NumberedRule {
  readonly allow: boolean
  readonly type: 'b' | 'c'
  readonly major: number | undefined
  readonly minor: number | undefined
  readonly access: number
  /** JSON pointer of the rule, or of resources.devices for what every container may use. */
  readonly pointer: string
}

/**
 * What a container may do with devices: each right (m, r or w) on a device is decided by the last rule that speaks of
 * it, or by `allowByDefault`.
 */
export interface DevicePolicy {
  readonly allowByDefault: boolean
  /** JSON pointer of what the default comes from. */
  readonly pointer: string
  readonly rules: readonly NumberedRule[]
}

const POINTER = '/linux/resources/devices'

const allowed = (
  type: 'b' | 'c',
  major: number | undefined,
  minor: number | undefined,
  access: number,
): NumberedRule => ({
  allow: true,
  type,
  major,
  minor,
  access,
  pointer: POINTER,
})

/**
 * Appended to every list, as by runc and crun: a container can make device nodes, and use its own /dev: the default
 * devices, /dev/console, /dev/ptmx and the pseudo-terminals.
 */
const ALWAYS_ALLOWED: readonly NumberedRule[] = [
  allowed('c', undefined, undefined, ACCESS.m),
  allowed('b', undefined, undefined, ACCESS.m),
  ...DEFAULT_DEVICES.map(({ major, minor }) => allowed('c', major, minor, ALL_ACCESS)),
  allowed('c', 5, 1, ALL_ACCESS),
  allowed('c', 5, 2, ALL_ACCESS),
  allowed('c', 136, undefined, ALL_ACCESS),
]

/**
 * config-linux.md "Allowed Device list": the rules in their order, a later one over an earlier one, without those that
 * have no effect. It is a list of what is allowed: before the first rule nothing is. Without any rule there is no
 * policy.
 *
 * Errors: CGROUP_VALUE for a rule without access.
 */
export function devicePolicy(rules: readonly DeviceRule[]): DevicePolicy | undefined {
  if (rules.length === 0) return undefined
  let allowByDefault = false
  let pointer = POINTER
  let numbered: NumberedRule[] = []
  rules.forEach((rule, index) => {
    const at = `${POINTER}/${index}`
    const parts = parseRule(rule, at)
    if (isWholeList(rule, parts)) {
      allowByDefault = rule.allow
      pointer = at
      numbered = []
    } else {
      numbered.push(...parts)
    }
  })
  return { allowByDefault, pointer, rules: withoutOverruled([...numbered, ...ALWAYS_ALLOWED]) }
}

/** A rule of type "a" speaks of both types. */
function parseRule(
  { allow, type = 'a', major = -1, minor = -1, access = '' }: DeviceRule,
  pointer: string,
): NumberedRule[] {
  if (access === '') {
    const message = `${allow ? 'allow' : 'deny'} devices: the rule does not say which access (r, w, m)`
    throw cgroupError('CGROUP_VALUE', message, `${pointer}/access`)
  }
  const rule = { allow, major: numberOrAny(major), minor: numberOrAny(minor), access: accessMask(access), pointer }
  return type === 'a'
    ? [
        { ...rule, type: 'b' },
        { ...rule, type: 'c' },
      ]
    : [{ ...rule, type }]
}

const numberOrAny = (value: number | bigint): number | undefined => (value < 0 ? undefined : Number(value))

function accessMask(access: string): number {
  let mask = 0
  if (access.includes('m')) mask |= ACCESS.m
  if (access.includes('r')) mask |= ACCESS.r
  if (access.includes('w')) mask |= ACCESS.w
  return mask
}

const isWholeList = ({ type = 'a' }: DeviceRule, parts: readonly NumberedRule[]): boolean =>
  type === 'a' &&
  parts.every(({ major, minor, access }) => major === undefined && minor === undefined && access === ALL_ACCESS)

/** Every device of `inner` is one of `outer`. */
export const coversNumbers = (outer: NumberedRule, inner: NumberedRule): boolean =>
  outer.type === inner.type &&
  (outer.major === undefined || outer.major === inner.major) &&
  (outer.minor === undefined || outer.minor === inner.minor)

/** There may be a device of both. */
export const overlaps = (a: NumberedRule, b: NumberedRule): boolean =>
  a.type === b.type &&
  (a.major === undefined || b.major === undefined || a.major === b.major) &&
  (a.minor === undefined || b.minor === undefined || a.minor === b.minor)

/** The devices that a rule speaks of, as a key. */
export const numbersKey = ({ type, major, minor }: Pick<NumberedRule, 'type' | 'major' | 'minor'>): string =>
  `${type} ${major ?? '*'}:${minor ?? '*'}`

/** The keys of all rules that speak of every device of this one: its own numbers, or any in their place. */
export const coveringKeys = ({ type, major, minor }: NumberedRule): readonly string[] =>
  [
    { type, major, minor },
    { type, major, minor: undefined },
    { type, major: undefined, minor },
    { type, major: undefined, minor: undefined },
  ].map(numbersKey)

/** Engines pass lists of any length: each rule is looked at once, from the last to the first. */
function withoutOverruled(rules: readonly NumberedRule[]): readonly NumberedRule[] {
  const later = new Map<string, Set<number>>()
  const kept: NumberedRule[] = []
  for (const rule of [...rules].reverse()) {
    const masks = coveringKeys(rule).flatMap((key) => [...(later.get(key) ?? [])])
    if (masks.some((mask) => (rule.access & ~mask) === 0)) continue
    kept.push(rule)
    const key = numbersKey(rule)
    later.set(key, (later.get(key) ?? new Set()).add(rule.access))
  }
  return kept.reverse()
}

/** As in "c 10:229 rwm": the form of devices.allow (Documentation/admin-guide/cgroup-v1/devices.rst). */
export function ruleText({ type, major, minor, access }: NumberedRule): string {
  const letters = (['r', 'w', 'm'] as const).filter((letter) => (access & ACCESS[letter]) !== 0).join('')
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${letters}`
}
