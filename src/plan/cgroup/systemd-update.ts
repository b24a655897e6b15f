import type { Op } from '../ops'
import type { SavedUnit } from '../saved-unit'
import { DbusWriter, dbusArray, dbusBoolean, dbusString, dbusU64 } from './dbus'
import type { DevicePolicy } from './device-rules'
import type { Setting, Warn } from './setting'
import { deviceProperties } from './systemd-devices'
import {
  MIRRORED,
  mirroredProperties,
  OLD_SYSTEMD,
  property,
  propertyList,
  type UnitProperty,
} from './systemd-properties'

/** What an update has written by files. */
export interface Written {
  readonly settings: readonly Setting[]
  readonly devices: DevicePolicy | undefined
  /** What the files of filesOfUnit said before, by their names. */
  readonly current: Readonly<Record<string, string>>
  readonly directoryOf: (controller: string) => string | undefined
}

/** systemd writes these with the others of their controllers, without a property of the container's. */
const BESIDE = ['memory.zswap.max', 'memory.zswap.writeback', 'memory.oom.group']

/** As the files of cgroups are named: CONTROLLER.WHAT. */
export const controllerOf = (file: string): string => file.slice(0, file.indexOf('.'))

/** The files that systemd may write when it is told of new properties. */
export const filesOfUnit = (version: 1 | 2): readonly string[] => [
  ...Object.keys(MIRRORED[version]),
  ...(version === 2 ? BESIDE : ['cpu.cfs_quota_us', 'cpu.cfs_period_us']),
]

/** systemd keeps "idle" as a weight: where that ends without a new weight, there is none set. */
const NO_WEIGHT = property('CPUWeight', dbusU64((1n << 64n) - 1n))

function propertiesOf(settings: readonly Setting[], version: 1 | 2): readonly UnitProperty[] {
  const properties = mirroredProperties(settings, version)
  const endsIdle = version === 2 && settings.some(({ file, value }) => file === 'cpu.idle' && value.trim() === '0')
  const hasWeight = properties.some(({ name }) => name === 'CPUWeight')
  return endsIdle && !hasWeight ? [...properties, NO_WEIGHT] : properties
}

/** A list that is assigned empty is reset, which comes before the new one: systemd appends (systemd.unit(5)). */
function devicesOf(policy: DevicePolicy | undefined, version: 1 | 2, warn: Warn): readonly UnitProperty[] {
  if (policy === undefined || version === 2) return []
  const reset = property('DeviceAllow', dbusArray('(ss)', []))
  return [reset, property('DevicePolicy', dbusString('auto')), ...deviceProperties(policy, warn)]
}

/** The arguments of SetUnitProperties. */
function bodyOf(unit: string, properties: readonly UnitProperty[]): Uint8Array {
  const writer = new DbusWriter()
  writer.write(dbusString(unit))
  // Only as long as the unit is there: a transient one is not, after a reboot.
  writer.write(dbusBoolean(true))
  writer.write(propertyList(properties))
  return writer.finish()
}

/** With and without what an old systemd does not know; nothing where there is no difference. */
function bodiesOf(unit: string, properties: readonly UnitProperty[]) {
  const old = properties.filter(({ since }) => since <= OLD_SYSTEMD)
  const differs = old.length < properties.length && old.length > 0
  return { all: bodyOf(unit, properties), reduced: differs ? bodyOf(unit, old) : new Uint8Array() }
}

/**
 * Tell systemd what an update has written by files, for what it has a property for: it would write the old values again
 * after a daemon-reload.
 */
export function tellUnit(unit: SavedUnit | undefined, version: 1 | 2, written: Written, warn: Warn): readonly Op[] {
  if (unit === undefined) return []
  const { settings, devices, current, directoryOf } = written
  const mirrored = propertiesOf(settings, version)
  const list = devicesOf(devices, version, warn)
  const properties = [...mirrored, ...list]
  if (properties.length === 0) return []
  const controllers = new Set(settings.map(({ file }) => controllerOf(file)))
  const touched = filesOfUnit(version).filter((file) => controllers.has(controllerOf(file)) && file in current)
  const files = touched.flatMap((file) => {
    const directory = directoryOf(controllerOf(file))
    return directory === undefined ? [] : `${directory}/${file}`
  })
  const before = settings.flatMap((setting) => {
    const value = current[setting.file]
    return value === undefined ? [] : { ...setting, value }
  })
  const names = new Set(mirrored.map(({ name }) => name))
  const old = propertiesOf(before, version).filter(({ name }) => names.has(name))
  const now = bodiesOf(unit.unit, properties)
  const then = bodiesOf(unit.unit, old)
  const told = [...new Set(properties.map(({ name }) => name))].join(', ')
  // systemd denies every device before it allows some.
  const freezer = list.length === 0 ? undefined : directoryOf('freezer')
  return [
    {
      kind: 'setUnitProperties',
      pointer: '',
      what: `set ${told} of unit ${unit.unit} of systemd`,
      ...unit,
      body: now.all,
      reduced: now.reduced,
      undo: old.length === 0 ? new Uint8Array() : then.all,
      undoReduced: then.reduced,
      files,
      frozen: freezer === undefined ? [] : [freezer],
    },
  ]
}
