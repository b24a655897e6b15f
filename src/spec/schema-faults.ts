import { quote, shortened } from '../errors'
import type { Fault } from './fault'
import { escapeStep, unusable, valueAt } from './json'
import { didYouMean } from './nearest'
import { FORMS, type FormName } from './schema/forms'
import { sectionOf } from './sections'
import { validateConfig, validateProcess, validateResources } from './validate.gen'

/** What a generated validator leaves of a failure. */
export interface SchemaError {
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

/** Where the schema stands within config.json. */
export const PREFIX: Readonly<Record<SchemaName, string>> = {
  config: '',
  process: '/process',
  resources: '/linux/resources',
}

/** What a validator says about a value, none if it is valid. */
export function schemaErrors(name: SchemaName, value: unknown): readonly SchemaError[] {
  const validate: Validator = VALIDATORS[name]
  return validate(value) ? [] : (validate.errors ?? [])
}

/**
 * Faults of a value by the schema, none if it is valid.
 *
 * An optional property that is null counts as absent and is taken out of the value, with a warning: serializers write
 * null for what is not set, and runc and crun read it so. An element of a list is never optional, nor is an entry of a
 * map: nobody writes one without a value.
 */
export function schemaFaults(name: SchemaName, value: unknown): readonly Fault[] {
  const dropped = schemaErrors(name, value).filter(
    ({ pointer }) => !isInMap(PREFIX[name] + pointer) && dropNull(value, pointer),
  )
  const errors = schemaErrors(name, value)
  return [
    ...dropped.map(({ pointer }) =>
      fault(name, 'null', pointer, { message: 'is null, which counts as not set', severity: 'warning' }),
    ),
    ...errors.filter((error) => error.params.form !== 'key').map((error) => explain(name, error, value)),
  ]
}

const MAPS: ReadonlySet<string> = new Set([
  '/annotations',
  '/linux/sysctl',
  '/linux/netDevices',
  '/linux/resources/rdma',
  '/linux/resources/unified',
])

const isInMap = (pointer: string): boolean => MAPS.has(pointer.slice(0, pointer.lastIndexOf('/')))

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
  if (typeof value === 'symbol') {
    const why = unusable(value.description ?? '') ?? ''
    return fault(name, why.includes('NUL') ? 'nul' : 'surrogate', pointer, { message: why })
  }
  const not = `not ${show(value)}`
  switch (keyword) {
    case 'required': {
      const missing = `${pointer}/${escapeStep(params.missingProperty ?? '')}`
      return fault(name, keyword, missing, { message: 'is required, but missing' })
    }
    case 'propertyNames': {
      const entry = `${pointer}/${escapeStep(params.propertyName ?? '')}`
      return fault(name, 'key', entry, { message: `must have ${FORMS.key.says}`, at: 'name' })
    }
    case 'form': {
      const { says } = FORMS[params.form ?? 'key']
      const suggestion = says.startsWith('an integer') ? unquoted(value) : undefined
      return fault(name, params.form ?? keyword, pointer, { message: `must be ${says}, ${not}`, suggestion })
    }
    case 'enum': {
      const allowed = [...(params.allowed ?? [])].filter((word) => word !== '')
      const message = `must be one of ${allowed.join(', ')}, ${not}`
      return fault(name, keyword, pointer, { message, suggestion: didYouMean(value, allowed) })
    }
    case 'minItems':
      return fault(name, keyword, pointer, { message: `must have at least ${params.limit} entry` })
    case 'type': {
      const type = params.type ?? ''
      const message = `must be ${TYPES[type] ?? type}, ${not}`
      return fault(name, keyword, pointer, { message, suggestion: asType(type, value) })
    }
    default:
      return fault(name, keyword, pointer, { message: `is not valid: ${keyword}` })
  }
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'an array',
  string: 'a string',
  boolean: 'true or false',
}

const LONGEST_SUGGESTION = 40

/** How a value would be written as the type that is wanted, where that is beyond doubt. */
function asType(type: string, value: unknown): string | undefined {
  if (type === 'boolean') return value === 'true' || value === 'false' ? `write ${value}, without quotes` : undefined
  const isText = typeof value === 'string' && value.length < LONGEST_SUGGESTION
  if (type === 'array') return isText ? `write [${quote(value)}]` : undefined
  const isScalar = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
  return type === 'string' && isScalar ? `write "${value}", in quotes` : undefined
}

/** For an integer that is written as a string. */
const unquoted = (value: unknown): string | undefined =>
  typeof value === 'string' && /^-?(?:0|[1-9]\d{0,19})$/.test(value) ? `write ${value}, without quotes` : undefined

interface Finding extends Pick<Fault, 'message' | 'suggestion' | 'at'> {
  readonly severity?: Fault['severity']
}

function fault(schema: SchemaName, rule: string, pointer: string, finding: Finding): Fault {
  return { severity: 'error', rule, pointer, section: sectionOf(PREFIX[schema] + pointer), ...finding }
}

/** A value as a person wrote it, shortened. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return shortened(String(value))
  return quote(value)
}
