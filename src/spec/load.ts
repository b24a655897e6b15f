import { shownPointer, TsruncError } from '../errors'
import { describeFault, type Fault, type Rule } from './fault'
import { banUnusable, inspectJson, type JsonError, Lines } from './json'
import { PROCESS_ALONE_RULES, processFaults, RESOURCES_ALONE_RULES, RULES, resourcesFaults, ruleFaults } from './rules'
import { faultsBeside } from './salvage'
import { type SchemaName, schemaFaults } from './schema-faults'
import type { Process, Resources, Spec } from './types'

export interface LoadOptions {
  /** How messages name the file, as in "config.json". */
  readonly path: string
}

/** What was found in a text that may be a configuration. */
export interface Inspected<T> {
  /** Of its type; undefined where the text or the schema refuses it. With an error of a rule it is there all the same. */
  readonly value: T | undefined
  /** What the text says, with values of wrong types or not; undefined where it is not JSON. */
  readonly document: unknown
  /** All errors and warnings: of the text, of the schema, of the rules. */
  readonly faults: readonly Fault[]
  /** Where the pointers of faults are found; see locateAll(). */
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
  const { value, warnings } = orThrow(inspectSpec(bytes), options, ': see tsrunc validate')
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
  const { value, warnings } = orThrow(inspect(bytes, PROCESS), options, '')
  return { process: value, warnings }
}

/**
 * A config.json that loadSpec has accepted before, of which a copy was kept; undefined where it is none. What the rules of
 * this version would refuse stays as it was accepted: the container is there.
 */
export function reloadSpec(bytes: Uint8Array): Spec | undefined {
  const { text, value, errors } = inspectJson(bytes)
  if (value === undefined || errors.length > 0) return undefined
  const document = banUnusable(value, text)
  return schemaFaults(SPEC.schema, document).some(isError) ? undefined : (document as Spec)
}

/**
 * Reads a resources object (config-linux.md "Control groups"), as `update --resources` takes it.
 *
 * @throws TsruncError as loadSpec; pointers are those of the resources
 */
export function loadResources(
  bytes: Uint8Array,
  options: LoadOptions,
): { readonly resources: Resources; readonly warnings: readonly Fault[] } {
  const { value, warnings } = orThrow(inspect(bytes, RESOURCES), options, '')
  return { resources: value, warnings }
}

/** Finds every fault of a config.json. */
export const inspectSpec = (bytes: Uint8Array): Inspected<Spec> => inspect(bytes, SPEC)

/** What a text is checked by. */
interface Checks<T> {
  readonly schema: SchemaName
  readonly find: (value: T) => readonly Fault[]
  readonly rules: readonly Rule[]
}

const SPEC: Checks<Spec> = { schema: 'config', find: ruleFaults, rules: RULES }
const PROCESS: Checks<Process> = { schema: 'process', find: processFaults, rules: PROCESS_ALONE_RULES }

const RESOURCES: Checks<Resources> = {
  schema: 'resources',
  find: resourcesFaults,
  rules: RESOURCES_ALONE_RULES,
}

function inspect<T>(bytes: Uint8Array, checks: Checks<T>): Inspected<T> {
  const { text, value, errors } = inspectJson(bytes)
  const byText = errors.map(textFault)
  if (value === undefined) return { value, document: undefined, faults: byText, text }
  const document = banUnusable(value, text)
  const bySchema = schemaFaults(checks.schema, document)
  const refused = bySchema.filter(isError)
  if (refused.length > 0) {
    const byRules = faultsBeside(checks.schema, document, refused, checks)
    return { value: undefined, document, faults: [...byText, ...bySchema, ...byRules], text }
  }
  // The generated validator has just proved it: a value which it accepts is of the type that it was written for.
  const spec = document as T
  const faults = [...byText, ...bySchema, ...checks.find(spec)]
  return { value: byText.length > 0 ? undefined : spec, document, faults, text }
}

function textFault({ kind, message, pointer, offset, suggestion }: JsonError): Fault {
  return { severity: 'error', rule: kind, pointer, message, suggestion, section: 'glossary.md "JSON"', at: offset }
}

const isError = ({ severity }: Fault): boolean => severity === 'error'

/** One error is the story. Others are counted, and `advice` says where they are seen. */
function orThrow<T>(
  { value, faults, text }: Inspected<T>,
  { path }: LoadOptions,
  advice: string,
): { readonly value: T; readonly warnings: readonly Fault[] } {
  const [error, ...others] = faults.filter(isError)
  if (error !== undefined) {
    const more =
      others.length === 0 ? '' : `; ${others.length} more ${others.length === 1 ? 'error' : 'errors'}${advice}`
    const code = error.rule.startsWith('json-') && error.pointer === '' ? 'CONFIG_SYNTAX' : 'CONFIG_INVALID'
    throw new TsruncError(code, `${sentence(path, error, text)}${more}`, { pointer: error.pointer })
  }
  if (value === undefined) throw new Error(`${path}: refused without a fault`)
  return { value, warnings: faults }
}

/** A fault of the text has no value whose pointer would say where it is. */
function sentence(path: string, fault: Fault, text: string): string {
  if (typeof fault.at !== 'number') return describeFault(path, fault)
  const { line, column } = new Lines(text).positionAt(fault.at)
  const where = `line ${line}, column ${column}`
  const place = fault.pointer === '' ? where : `${shownPointer(fault.pointer)} (${where})`
  return describeFault(`${path} ${place}`, { ...fault, pointer: '' })
}
