import { TsruncError } from '../errors'
import { describeFault, type Fault } from './fault'
import { banNul, type JsonDocument, JsonError, parseJson } from './json'
import { processFaults, ruleFaults } from './rules'
import { type SchemaName, schemaFaults } from './schema-faults'
import type { Process, Spec } from './types'

export interface LoadOptions {
  /** How messages name the file, as in "config.json". */
  readonly path: string
}

export interface Loaded<T> {
  /** Undefined where the schema refuses it. With an error of a rule it is of its types all the same. */
  readonly value: T | undefined
  /** Errors of the schema or else of the rules, which can only look at a value of the types; and all warnings. */
  readonly faults: readonly Fault[]
  /** For locate(), the line and column of a fault's pointer. */
  readonly text: string
}

/**
 * Reads config.json (config.md).
 *
 * @param bytes UTF-8 JSON
 * @returns the spec, of its types and without a fault, and what is advised against
 * @throws TsruncError CONFIG_SYNTAX (not JSON) or CONFIG_INVALID (not allowed by the specification), for the first fault
 */
export function loadSpec(
  bytes: Uint8Array,
  options: LoadOptions,
): { readonly spec: Spec; readonly warnings: readonly Fault[] } {
  const { value, warnings } = orThrow(inspectSpec(bytes, options), options)
  return { spec: value, warnings }
}

/**
 * Reads a process object (config.md "Process"), as `exec --process` takes it.
 *
 * @throws TsruncError as loadSpec; pointers are those of the process
 */
export function loadProcess(
  bytes: Uint8Array,
  options: LoadOptions,
): { readonly process: Process; readonly warnings: readonly Fault[] } {
  const { value, warnings } = orThrow(inspect<Process>(bytes, options, 'process', processFaults), options)
  return { process: value, warnings }
}

/**
 * Finds every fault of a config.json.
 *
 * @throws TsruncError CONFIG_SYNTAX where it is not JSON, CONFIG_INVALID for a name that stands twice
 */
export const inspectSpec = (bytes: Uint8Array, options: LoadOptions): Loaded<Spec> =>
  inspect<Spec>(bytes, options, 'config', ruleFaults)

function inspect<T>(
  bytes: Uint8Array,
  { path }: LoadOptions,
  schema: SchemaName,
  rules: (value: T) => readonly Fault[],
): Loaded<T> {
  const { text, value } = parse(bytes, path)
  const bySchema = schemaFaults(schema, banNul(value, text))
  if (bySchema.some(isError)) return { value: undefined, faults: bySchema, text }
  // The generated validator has just proved it: a value which it accepts is of the type that it was written for.
  const spec = value as T
  const byRules = rules(spec)
  return { value: spec, faults: bySchema.length === 0 ? byRules : [...bySchema, ...byRules], text }
}

function parse(bytes: Uint8Array, path: string): JsonDocument {
  try {
    return parseJson(bytes)
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
    const { line, column } = cause.position
    const { pointer } = cause
    const code = pointer === '' ? 'CONFIG_SYNTAX' : 'CONFIG_INVALID'
    const where = pointer === '' ? `line ${line}, column ${column}` : `${pointer} (line ${line}, column ${column})`
    throw new TsruncError(code, `${path} ${where}: ${cause.message}`, { pointer, cause })
  }
}

const isError = ({ severity }: Fault): boolean => severity === 'error'

function orThrow<T>(
  { value, faults }: Loaded<T>,
  { path }: LoadOptions,
): { readonly value: T; readonly warnings: readonly Fault[] } {
  const error = faults.find(isError)
  if (error !== undefined)
    throw new TsruncError('CONFIG_INVALID', describeFault(path, error), { pointer: error.pointer })
  if (value === undefined) throw new Error(`${path}: refused without a fault`)
  return { value, warnings: faults }
}
