import { ByteReader, PlanBytesError } from './byte-reader'
import type { FieldType } from './ops'
import { PLAN_VERSION, type PlanHeader } from './plan'
import { HEADER_FIELDS, PLAN_MAGIC } from './wire'

function readField(reader: ByteReader, type: FieldType): unknown {
  switch (type) {
    case 'bool':
      return reader.bool()
    case 'u32':
      return reader.u32()
    case 'u64':
      return reader.u64()
    case 'i64':
      return reader.i64()
    case 'str':
      return reader.str()
    case 'bytes':
      return reader.bytes()
    case 'strs':
      return Array.from({ length: reader.count(5) }, () => reader.str())
    case 'u32s':
      return Array.from({ length: reader.count(4) }, () => reader.u32())
  }
}

export function readFields(
  reader: ByteReader,
  fields: Readonly<Record<string, FieldType>>,
): Readonly<Record<string, unknown>> {
  const out: Record<string, unknown> = {}
  for (const [name, type] of Object.entries(fields)) out[name] = readField(reader, type)
  return out
}

/** Up to the end of the header. Errors: PlanBytesError. */
export function readHeader(reader: ByteReader, size: number): PlanHeader {
  if (reader.u32() !== PLAN_MAGIC) throw new PlanBytesError('is not a plan')
  const version = reader.u32()
  if (version !== PLAN_VERSION) throw new PlanBytesError(`is of version ${version}, not ${PLAN_VERSION}`)
  if (reader.u32() !== size) throw new PlanBytesError('is not as long as it says')
  return readFields(reader, HEADER_FIELDS) as unknown as PlanHeader
}

/**
 * The header of a plan that encodePlan made, which later verbs take over. The lists behind it are read by the engine, and
 * what later verbs plan with.
 * Errors: PlanBytesError for bytes that are not a plan of this version.
 */
export const decodeHeader = (bytes: Uint8Array): PlanHeader => readHeader(new ByteReader(bytes), bytes.length)
