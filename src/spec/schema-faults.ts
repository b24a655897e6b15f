import type { Fault } from './fault'
import { escapeStep, valueAt } from './json'
import { FORMS, type FormName } from './schema/forms'
import { sectionOf } from './sections'
import { validateConfig, validateProcess, validateResources } from './validate.gen'

/** What a generated validator leaves of a failure. */
interface SchemaError {
  readonly pointer: string
  readonly keyword: string
  readonly params: {
    readonly type?: string
    readonly form?: FormName
    readonly allowed?: ReadonlySet<string>
    readonly missingProperty?: string
    readonly propertyName?: string
    readonly limit?: number
  }
}

interface Validator {
  (value: unknown): boolean
  errors?: readonly SchemaError[] | null
}

const VALIDATORS = {
  config: validateConfig,
  process: validateProcess,
  resources: validateResources,
} as const satisfies Readonly<Record<string, Validator>>

export type SchemaName = keyof typeof VALIDATORS

/** Where the schema stands within config.json, for the section of a fault. */
const PREFIX: Readonly<Record<SchemaName, string>> = { config: '', process: '/process', resources: '/linux/resources' }

/**
 * Faults of a value by the schema, none if it is valid.
 *
 * An optional property that is null counts as absent and is taken out of the value, with a warning: serializers write
 * null for what is not set, and runc and crun read it so. An element of a list is never optional.
 */
export function schemaFaults(name: SchemaName, value: unknown): readonly Fault[] {
  const validate: Validator = VALIDATORS[name]
  if (validate(value)) return []
  const dropped = (validate.errors ?? []).filter((error) => dropNull(value, error.pointer))
  const errors = validate(value) ? [] : (validate.errors ?? [])
  return [
    ...dropped.map(({ pointer }) => fault(name, 'null', pointer, 'is null, which counts as not set', 'warning')),
    ...errors.filter((error) => error.params.form !== 'key').map((error) => explain(name, error, value)),
  ]
}

/** Deletes the member at the pointer if it is null; says whether it did. */
function dropNull(document: unknown, pointer: string): boolean {
  if (pointer === '' || valueAt(document, pointer) !== null) return false
  const parent = valueAt(document, pointer.slice(0, pointer.lastIndexOf('/')))
  if (typeof parent !== 'object' || parent === null || Array.isArray(parent)) return false
  const name = pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
  return Reflect.deleteProperty(parent, name)
}

function explain(name: SchemaName, { pointer, keyword, params }: SchemaError, document: unknown): Fault {
  const value = valueAt(document, pointer)
  if (typeof value === 'symbol') return fault(name, 'nul', pointer, 'must not contain a NUL character (\\u0000)')
  const not = `not ${show(value)}`
  switch (keyword) {
    case 'required':
      return fault(name, keyword, `${pointer}/${escapeStep(params.missingProperty ?? '')}`, 'is required, but missing')
    case 'propertyNames': {
      const entry = `${pointer}/${escapeStep(params.propertyName ?? '')}`
      return fault(name, 'key', entry, `must have ${FORMS.key.says}`)
    }
    case 'form':
      return fault(name, params.form ?? keyword, pointer, `must be ${FORMS[params.form ?? 'key'].says}, ${not}`)
    case 'enum': {
      const allowed = [...(params.allowed ?? [])].filter((word) => word !== '')
      return fault(name, keyword, pointer, `must be one of ${allowed.join(', ')}, ${not}`)
    }
    case 'minItems':
      return fault(name, keyword, pointer, `must have at least ${params.limit} entry`)
    case 'type':
      return fault(name, keyword, pointer, `must be ${TYPES[params.type ?? ''] ?? params.type}, ${not}`)
    default:
      return fault(name, keyword, pointer, `is not valid: ${keyword}`)
  }
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'an array',
  string: 'a string',
  boolean: 'true or false',
}

function fault(
  schema: SchemaName,
  rule: string,
  pointer: string,
  message: string,
  severity: Fault['severity'] = 'error',
): Fault {
  return { severity, rule, pointer, message, section: sectionOf(PREFIX[schema] + pointer) }
}

/** A value as a person wrote it, shortened. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value)
}
