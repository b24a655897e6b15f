import { coversNumbers, type DevicePolicy, type NumberedRule, overlaps, ruleText } from './device-rules'
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
  let exceptions: readonly NumberedRule[] = []
  for (const rule of policy.rules) {
    exceptions = rule.allow === allowByDefault ? withdraw(exceptions, rule) : add(exceptions, rule)
  }
  const whole: Setting = {
    controller: 'devices',
    file: allowByDefault ? 'devices.allow' : 'devices.deny',
    value: 'a',
    pointer: policy.pointer,
    what: `${allowByDefault ? 'allow' : 'deny'} all devices`,
  }
  return [whole, ...exceptions.map(exceptionSetting)]
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

const sameNumbers = (a: NumberedRule, b: NumberedRule): boolean =>
  a.type === b.type && a.major === b.major && a.minor === b.minor

function add(exceptions: readonly NumberedRule[], rule: NumberedRule): readonly NumberedRule[] {
  const same = exceptions.findIndex((exception) => sameNumbers(exception, rule))
  return same < 0
    ? [...exceptions, rule]
    : exceptions.map((exception, index) =>
        index === same ? { ...rule, access: exception.access | rule.access } : exception,
      )
}

function withdraw(exceptions: readonly NumberedRule[], rule: NumberedRule): readonly NumberedRule[] {
  return exceptions.flatMap((exception) => {
    if (!overlaps(exception, rule) || (exception.access & rule.access) === 0) return [exception]
    if (!coversNumbers(rule, exception)) throw hole(exception, rule)
    const access = exception.access & ~rule.access
    return access === 0 ? [] : [{ ...exception, access }]
  })
}

function hole(exception: NumberedRule, rule: NumberedRule) {
  const done = exception.allow ? 'allowed' : 'denied'
  const message =
    `${rule.allow ? 'allow' : 'deny'} device ${ruleText(rule)}: it is part of ${ruleText(exception)}, ` +
    `which is ${done}, and cgroup v1 cannot make an exception from that`
  return cgroupError('CGROUP_DEVICES', message, rule.pointer)
}
