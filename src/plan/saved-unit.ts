import { ByteReader, PlanBytesError } from './byte-reader'
import { type FieldType, OPS } from './ops'
import { readFields, readHeader } from './saved-header'
import { LAUNCH_FIELDS, LISTS } from './wire'

/** The unit of systemd that create made for a container, and where its systemd is asked. */
export interface SavedUnit {
  readonly bus: string
  readonly peer: string
  readonly seconds: number
  readonly unit: string
  /** Its object path. */
  readonly object: string
  /** In its Documentation: by it the unit is known to be the container's. */
  readonly mark: string
}

/**
 * The unit of the container whose plan encodePlan made these bytes of; undefined where its cgroup is made by files. It
 * stands in what delete does.
 *
 * Errors: PlanBytesError for bytes that are not a plan of this version.
 */
export function decodeUnit(bytes: Uint8Array): SavedUnit | undefined {
  const reader = new ByteReader(bytes)
  readHeader(reader, bytes.length)
  readFields(reader, LAUNCH_FIELDS)
  const { code, fields } = OPS.stopUnit
  for (const _ of LISTS) {
    for (let left = reader.count(8); left > 0; left -= 1) {
      const isUnit = reader.u32() === code
      const op = reader.bytes()
      if (isUnit) return readUnit(op, fields)
    }
  }
  return undefined
}

function readUnit(op: Uint8Array, fields: Readonly<Record<string, FieldType>>): SavedUnit {
  const reader = new ByteReader(op)
  // Its pointer and its words.
  reader.str()
  reader.str()
  const { bus, peer, seconds, unit, object, mark } = readFields(reader, fields)
  const texts = { bus, peer, unit, object, mark }
  if (typeof seconds !== 'number' || !Object.values(texts).every((text) => typeof text === 'string')) {
    throw new PlanBytesError('has a unit without a name')
  }
  return { ...(texts as Record<keyof typeof texts, string>), seconds }
}
