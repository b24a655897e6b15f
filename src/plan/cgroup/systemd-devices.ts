import { type DbusValue, dbusArray, dbusString, dbusStruct } from './dbus'
import { deviceExceptions } from './device-list'
import { ACCESS, type DevicePolicy, type NumberedRule, ruleText } from './device-rules'
import type { Warn } from './setting'
import { property, type UnitProperty } from './systemd-properties'

const DIRECTORY = { b: 'block', c: 'char' } as const

const accessOf = (access: number): string =>
  (['r', 'w', 'm'] as const).filter((letter) => (access & ACCESS[letter]) !== 0).join('')

/**
 * systemd.resource-control(5) DeviceAllow: a device by its numbers, all of one major number, or all of a type. Undefined for
 * what it cannot say.
 */
function entryOf({ type, major, minor, access }: NumberedRule): DbusValue | undefined {
  const name =
    major === undefined
      ? minor === undefined
        ? `${DIRECTORY[type]}-*`
        : undefined
      : minor === undefined
        ? `${DIRECTORY[type]}-${major}`
        : `/dev/${DIRECTORY[type]}/${major}:${minor}`
  return name === undefined ? undefined : dbusStruct(dbusString(name), dbusString(accessOf(access)))
}

const reloads = (rule: string): string =>
  `${rule}: systemd cannot keep this rule of devices: after "systemctl daemon-reload" it may not hold any more`

/**
 * cgroup v1: systemd writes the list of devices of a unit that is delegated, too, and "all" where it knows none. On v2 a
 * program decides that is attached beside systemd's, which systemd leaves alone.
 */
export function deviceProperties(policy: DevicePolicy | undefined, warn: Warn): readonly UnitProperty[] {
  if (policy === undefined) return []
  const exceptions = deviceExceptions(policy)
  if (policy.allowByDefault) {
    for (const rule of exceptions) warn(reloads(`deny device ${ruleText(rule)} (config.json ${rule.pointer})`))
    return []
  }
  const entries = exceptions.flatMap((rule) => {
    const entry = entryOf(rule)
    if (entry === undefined) warn(reloads(`allow device ${ruleText(rule)} (config.json ${rule.pointer})`))
    return entry ?? []
  })
  return [property('DevicePolicy', dbusString('strict')), property('DeviceAllow', dbusArray('(ss)', entries))]
}
