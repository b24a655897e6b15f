import { adviceOn } from '../spec/advice'
import type { Fault, Severity } from '../spec/fault'
import { Lines, locateAll, type Place } from '../spec/json'
import { inspectSpec } from '../spec/load'

/** A fault of a config.json with its place. */
export interface Finding {
  readonly severity: Severity
  /** Permanent name of what was checked. */
  readonly rule: string
  /** JSON pointer; '' is the whole document. */
  readonly pointer: string
  /** From 1. Where the value begins, or its name where that is what is wrong; around what is missing. */
  readonly line: number
  /** From 1, in UTF-16 code units. */
  readonly column: number
  /** The end of a sentence that begins with the pointer. */
  readonly message: string
  readonly suggestion: string | undefined
  /** Page and section of the specification, as in `config.md "Hostname"`. */
  readonly section: string
}

export interface Validation {
  /** The decoded text, which lines and columns count in. */
  readonly text: string
  /** Errors and warnings in the order of the text. A configuration without an error is one that create accepts. */
  readonly findings: readonly Finding[]
}

function offsetOf({ at }: Fault, place: Place): number {
  if (typeof at === 'number') return at
  return at === 'name' ? (place.nameOffset ?? place.offset) : place.offset
}

/**
 * Everything that is wrong with a config.json, or advised against, as far as that can be told from the file alone. What
 * create says of it is among these: it uses the same checks.
 *
 * @param bytes the file
 */
export function validateConfig(bytes: Uint8Array): Validation {
  const { text, document, faults } = inspectSpec(bytes)
  const told = new Set(faults.map(({ pointer }) => pointer))
  const all = [...faults, ...adviceOn(document).filter(({ pointer }) => !told.has(pointer))]
  const lines = new Lines(text)
  const places = locateAll(
    text,
    all.map(({ pointer }) => pointer),
  )
  const placed = all.map((fault, index) => ({
    fault,
    offset: offsetOf(fault, places[index] ?? { offset: 0, nameOffset: undefined }),
  }))
  const findings = placed
    .sort((one, other) => one.offset - other.offset)
    .map(({ fault: { severity, rule, pointer, message, suggestion, section }, offset }) => {
      const { line, column } = lines.positionAt(offset)
      return { severity, rule, pointer, line, column, message, suggestion, section }
    })
  return { text, findings }
}
