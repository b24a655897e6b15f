import { quote, TsruncError } from '../../errors'
import type { Spec } from '../../spec/types'
import type { DbusValue } from './dbus'
import { GvariantError, parseGvariant } from './gvariant'
import { segment } from './setting'
import type { UnitProperty } from './systemd-properties'

const PREFIX = 'org.systemd.property.'

const MICROSECONDS = 1_000_000

/** runc's convention: unit files have a time in seconds, as in TimeoutStopSec, and D-Bus in microseconds, TimeoutStopUSec. */
function inMicroseconds(value: DbusValue): DbusValue {
  switch (value.type) {
    case 'y':
    case 'n':
    case 'q':
    case 'i':
    case 'u':
    case 'x':
    case 't':
      return { type: 't', value: BigInt(value.value) * BigInt(MICROSECONDS) }
    case 'd':
      if (!Number.isFinite(value.value)) throw new GvariantError('it is out of range')
      return { type: 't', value: BigInt(Math.round(value.value * MICROSECONDS)) }
    default:
      throw new GvariantError('it must be a number of seconds')
  }
}

function property(name: string, text: string): UnitProperty {
  if (!/^[A-Za-z]{3,}$/.test(name)) throw new GvariantError('a property has at least three letters and nothing else')
  const value = parseGvariant(text)
  if (!name.endsWith('Sec') || name.endsWith('USec')) return { name, value, since: 0 }
  const converted = inMicroseconds(value)
  if (converted.type === 't' && BigInt.asUintN(64, converted.value) !== converted.value) {
    throw new GvariantError('it is out of range')
  }
  return { name: name.replace(/Sec$/, 'USec'), value: converted, since: 0 }
}

/**
 * What annotations ask of the unit: `org.systemd.property.NAME`, with a value in GVariant's text format.
 *
 * Errors: ANNOTATION.
 */
export function annotatedProperties({ annotations = {} }: Spec): readonly UnitProperty[] {
  return Object.entries(annotations).flatMap(([annotation, text]) => {
    if (!annotation.startsWith(PREFIX)) return []
    try {
      return [property(annotation.slice(PREFIX.length), text)]
    } catch (error) {
      if (!(error instanceof GvariantError)) throw error
      const message = `the annotation ${annotation} with the value ${quote(text)}: ${error.message}`
      throw new TsruncError('ANNOTATION', message, { pointer: `/annotations/${segment(annotation)}` })
    }
  })
}
