import type { HostFacts } from '../../host/facts'
import type { BlockIO, Integer, ThrottleDevice } from '../../spec/types'
import { ioWeightOfBlockWeight } from './convert'
import { cgroupError, MAX, notConvertible, type Setting } from './setting'

const at = (property: string): string => `/linux/resources/blockIO/${property}`

type Throttle =
  | 'throttleReadBpsDevice'
  | 'throttleWriteBpsDevice'
  | 'throttleReadIOPSDevice'
  | 'throttleWriteIOPSDevice'

/** Property, v1's file, v2's word in io.max, and what it limits. */
const THROTTLES: readonly (readonly [Throttle, string, string, string])[] = [
  ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device', 'rbps', 'bytes read a second'],
  ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device', 'wbps', 'bytes written a second'],
  ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device', 'riops', 'reads a second'],
  ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device', 'wiops', 'writes a second'],
]

interface Weight {
  readonly property: string
  readonly device: string | undefined
  readonly value: number
  readonly leaf: boolean
}

/**
 * config-linux.md "Block IO" in the files of cgroup v1: those of BFQ, or of CFQ (before Linux 5.0).
 *
 * Errors: CGROUP_VALUE for a weight where the kernel has neither.
 */
export function blockIoV1(blockIO: BlockIO, facts: HostFacts): readonly Setting[] {
  const weights = weightsOf(blockIO).map(({ property, device, value, leaf }) => {
    const what = weighing(value, device, leaf)
    const stem = leaf ? leafStem(facts, what, property) : weightStem(facts, what, property)
    return device === undefined
      ? ioSetting('blkio', stem, String(value), property, what)
      : ioSetting('blkio', `${stem}_device`, `${device} ${value}`, property, what)
  })
  const throttles = throttlesOf(blockIO, ({ file, device, rate, property, what }) =>
    ioSetting('blkio', file, `${device} ${rate}`, property, what),
  )
  return [...weights, ...throttles]
}

/**
 * config-linux.md "Block IO" in the files of cgroup v2: io.bfq.weight as it is, where the kernel has that, or io.weight.
 *
 * Errors: CGROUP_NOT_CONVERTIBLE for a leafWeight.
 */
export function blockIoV2(blockIO: BlockIO): readonly Setting[] {
  const weights = weightsOf(blockIO).map(({ property, device, value, leaf }) => {
    const what = weighing(value, device, leaf)
    if (leaf) throw notConvertible(what, 'cgroup v2 has no weight of leaves', at(property))
    const written = (number: number): string => (device === undefined ? String(number) : `${device} ${number}`)
    const otherwise = { file: 'io.weight', value: written(ioWeightOfBlockWeight(value)) }
    return { ...ioSetting('io', 'io.bfq.weight', written(value), property, what), otherwise }
  })
  const throttles = throttlesOf(blockIO, ({ word, device, rate, property, what }) =>
    // v1 takes 0 for "no limit"; io.max refuses it.
    ioSetting('io', 'io.max', `${device} ${word}=${BigInt(rate) === 0n ? MAX : rate}`, property, what),
  )
  return [...weights, ...throttles]
}

const ioSetting = (controller: string, file: string, value: string, property: string, what: string): Setting => ({
  controller,
  file,
  value,
  pointer: at(property),
  what,
})

const weighing = (value: number, device: string | undefined, leaf: boolean): string =>
  `set the block IO ${leaf ? 'leaf weight' : 'weight'}${device === undefined ? '' : ` of device ${device}`} to ${value}`

/** Whether blockIoV1 looks at the files of cgroups. */
export const hasWeights = (blockIO: BlockIO): boolean => weightsOf(blockIO).length > 0

/** A weight of 0 is "not set" (spec/schema allows it for the engines that write it always). */
function weightsOf({ weight = 0, leafWeight = 0, weightDevice = [] }: BlockIO): readonly Weight[] {
  const out: Weight[] = [
    { property: 'weight', device: undefined, value: weight, leaf: false },
    { property: 'leafWeight', device: undefined, value: leafWeight, leaf: true },
  ]
  weightDevice.forEach((entry, index) => {
    const device = `${entry.major}:${entry.minor}`
    const property = `weightDevice/${index}`
    out.push({ property: `${property}/weight`, device, value: entry.weight ?? 0, leaf: false })
    out.push({ property: `${property}/leafWeight`, device, value: entry.leafWeight ?? 0, leaf: true })
  })
  return out.filter(({ value }) => value !== 0)
}

interface ThrottleForm {
  readonly file: string
  readonly word: string
  readonly device: string
  readonly rate: Integer
  readonly property: string
  readonly what: string
}

function throttlesOf(blockIO: BlockIO, form: (throttle: ThrottleForm) => Setting): readonly Setting[] {
  return THROTTLES.flatMap(([name, file, word, unit]) => {
    const devices: readonly ThrottleDevice[] = blockIO[name] ?? []
    return devices.map(({ major, minor, rate }, index) => {
      const device = `${major}:${minor}`
      const what = `limit device ${device} to ${rate} ${unit}`
      return form({ file, word, device, rate, property: `${name}/${index}`, what })
    })
  })
}

function weightStem(facts: HostFacts, what: string, property: string): string {
  const stem = ['blkio.bfq.weight', 'blkio.weight'].find((name) => facts.cgroupFiles.includes(name))
  if (stem !== undefined) return stem
  throw missingFile(what, 'this kernel has no blkio.bfq.weight (CONFIG_BFQ_GROUP_IOSCHED)', property)
}

function leafStem(facts: HostFacts, what: string, property: string): string {
  if (facts.cgroupFiles.includes('blkio.leaf_weight')) return 'blkio.leaf_weight'
  throw missingFile(what, 'this kernel has no blkio.leaf_weight (Linux 5.0 removed it with CFQ)', property)
}

const missingFile = (what: string, why: string, property: string) =>
  cgroupError('CGROUP_VALUE', `${what}: ${why}`, at(property))
