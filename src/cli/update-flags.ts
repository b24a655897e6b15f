import { quote } from '../errors'
import { UsageError } from './parse'
import type { UpdateValues } from './update-options'

type Flag = Exclude<keyof UpdateValues, 'resources' | 'memory-mode' | 'l3-cache-schema' | 'mem-bw-schema' | 'dry-run'>

type Kind = 'number' | 'bytes' | 'text'

/** Flag, where its value belongs in linux.resources, and what it is. */
const FLAGS: readonly (readonly [Flag, string, Kind])[] = [
  ['blkio-weight', '/blockIO/weight', 'number'],
  ['cpu-period', '/cpu/period', 'number'],
  ['cpu-quota', '/cpu/quota', 'number'],
  ['cpu-burst', '/cpu/burst', 'number'],
  ['cpu-share', '/cpu/shares', 'number'],
  ['cpu-rt-period', '/cpu/realtimePeriod', 'number'],
  ['cpu-rt-runtime', '/cpu/realtimeRuntime', 'number'],
  ['cpu-idle', '/cpu/idle', 'number'],
  ['cpuset-cpus', '/cpu/cpus', 'text'],
  ['cpuset-mems', '/cpu/mems', 'text'],
  ['kernel-memory', '/memory/kernel', 'bytes'],
  ['kernel-memory-tcp', '/memory/kernelTCP', 'bytes'],
  ['memory', '/memory/limit', 'bytes'],
  ['memory-reservation', '/memory/reservation', 'bytes'],
  ['memory-swap', '/memory/swap', 'bytes'],
  ['pids-limit', '/pids/limit', 'number'],
]

const SUFFIXES = 'kmgtp'

/** As Docker and runc take them: "512", "64m", "1.5GiB", of powers of 1024. Errors: UsageError. */
function bytesOf(flag: string, value: string): string {
  if (/^-?\d{1,20}$/.test(value)) return String(BigInt(value))
  const [, whole, fraction = '', suffix = ''] = /^(\d{1,15})(?:\.(\d{1,6}))?\s?([kmgtp]?)(?:i?b)?$/i.exec(value) ?? []
  if (whole === undefined)
    throw new UsageError(`invalid value ${quote(value)} of --${flag}: bytes, as in 67108864 or 64m`)
  const power = suffix === '' ? 0 : SUFFIXES.indexOf(suffix.toLowerCase()) + 1
  const scale = 10n ** BigInt(fraction.length)
  return String((BigInt(whole + fraction) * 1024n ** BigInt(power)) / scale)
}

function numberOf(flag: string, value: string): string {
  if (/^-?\d{1,20}$/.test(value)) return String(BigInt(value))
  throw new UsageError(`invalid value ${quote(value)} of --${flag}: a number`)
}

/** The flags as JSON of linux.resources, with numbers of any size, and the flag of each pointer. Errors: UsageError. */
export function resourcesOfFlags(values: UpdateValues): {
  readonly json: Uint8Array
  readonly names: ReadonlyMap<string, string>
} {
  const names = new Map<string, string>()
  const groups = new Map<string, string[]>()
  for (const [flag, pointer, kind] of FLAGS) {
    const value = values[flag]
    if (value === undefined || value === '') continue
    names.set(pointer, `--${flag}`)
    const [, group = '', name = ''] = pointer.split('/')
    const text =
      kind === 'text' ? JSON.stringify(value) : kind === 'bytes' ? bytesOf(flag, value) : numberOf(flag, value)
    groups.set(group, [...(groups.get(group) ?? []), `${JSON.stringify(name)}:${text}`])
  }
  const members = [...groups].map(([group, properties]) => `${JSON.stringify(group)}:{${properties.join(',')}}`)
  return { json: Buffer.from(`{${members.join(',')}}`), names }
}
