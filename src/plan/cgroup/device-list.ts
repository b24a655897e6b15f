import {
  coveringKeys,
  coversNumbers,
  type DevicePolicy,
  type NumberedRule,
  numbersKey,
  overlaps,
  ruleText,
} from './device-rules'
import { cgroupError, type Setting } from './setting'

/**
 * The writes to devices.allow and devices.deny of cgroup v1 that make the policy.
 *
 * The kernel keeps a default and a list of exceptions from it, and takes an exception away only where type and numbers
 * are the same (Documentation/admin-guide/cgroup-v1/devices.rst); so the list that results is computed here and written
 * once, rather than every rule by itself.
 *
 * Errors: CGROUP_DEVICES for an exception from an exception, which v1 cannot express.
 */
export function deviceListV1(policy: DevicePolicy): readonly Setting[] {
  const { allowByDefault } = policy
  const whole: Setting = {
    controller: 'devices',
    file: allowByDefault ? 'devices.allow' : 'devices.deny',
    value: 'a',
    pointer: policy.pointer,
    what: `${allowByDefault ? 'allow' : 'deny'} all devices`,
  }
  return [whole, ...deviceExceptions(policy).map(exceptionSetting)]
}

/** The rules that are left as exceptions from the default. Errors: CGROUP_DEVICES. */
export function deviceExceptions({ allowByDefault, rules }: DevicePolicy): readonly NumberedRule[] {
  const exceptions: Exceptions = new Map()
  for (const rule of rules) {
    if (rule.allow === allowByDefault) withdraw(exceptions, rule)
    else add(exceptions, rule)
  }
  return [...exceptions.values()]
}

function exceptionSetting(rule: NumberedRule): Setting {
  const value = ruleText(rule)
  const what = `${rule.allow ? 'allow' : 'deny'} device ${value}`
  return {
    controller: 'devices',
    file: rule.allow ? 'devices.allow' : 'devices.deny',
    value,
    pointer: rule.pointer,
    what,
  }
}

/** By their numbers, in the order of writing. */
type Exceptions = Map<string, NumberedRule>

function add(exceptions: Exceptions, rule: NumberedRule): void {
  const key = numbersKey(rule)
  const access = (exceptions.get(key)?.access ?? 0) | rule.access
  exceptions.set(key, { ...rule, access })
}

/** The exceptions that may speak of a device of the rule: a few by their key, or all for a rule of many devices. */
function candidates(exceptions: Exceptions, rule: NumberedRule): readonly NumberedRule[] {
  if (rule.major === undefined || rule.minor === undefined) return [...exceptions.values()]
  return coveringKeys(rule).flatMap((key) => exceptions.get(key) ?? [])
}

function withdraw(exceptions: Exceptions, rule: NumberedRule): void {
  for (const exception of candidates(exceptions, rule)) {
    if (!overlaps(exception, rule) || (exception.access & rule.access) === 0) continue
    if (!coversNumbers(rule, exception)) throw hole(exception, rule)
    const access = exception.access & ~rule.access
    if (access === 0) exceptions.delete(numbersKey(exception))
    else exceptions.set(numbersKey(exception), { ...exception, access })
  }
}

function hole(exception: NumberedRule, rule: NumberedRule) {
  const done = exception.allow ? 'allowed' : 'denied'
  const message =
    `${rule.allow ? 'allow' : 'deny'} device ${ruleText(rule)}: it is part of ${ruleText(exception)}, ` +
    `which is ${done}, and cgroup v1 cannot make an exception from that`
  return cgroupError('CGROUP_DEVICES', message, rule.pointer)
}
