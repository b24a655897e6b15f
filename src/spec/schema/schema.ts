import type { FormName } from './forms'

/**
 * JSON schema (draft-07) as far as the schemas of this folder use it, and one keyword of our own, `form` (forms.ts).
 *
 * Unknown properties are allowed everywhere (config.md "Extensibility": they MUST be ignored); `additionalProperties`
 * is the schema of a map's values.
 */
export interface Schema {
  readonly $ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'boolean'
  readonly form?: FormName
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly propertyNames?: Schema
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly minItems?: number
}

export type Schemas = Readonly<Record<string, Schema>>

export const STRING: Schema = { type: 'string' }
export const BOOLEAN: Schema = { type: 'boolean' }
export const STRINGS: Schema = { type: 'array', items: STRING }

export const form = (name: FormName): Schema => ({ form: name })
export const words = (list: readonly string[]): Schema => ({ enum: list })
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
/** A map with names of any kind but ''. */
export const mapOf = (values: Schema): Schema => ({
  type: 'object',
  propertyNames: form('key'),
  additionalProperties: values,
})
export const object = (properties: Schemas, ...required: readonly string[]): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required } : {}),
})
/** A schema of index.ts by its name; it becomes a function of its own in the generated validator. */
export const ref = (name: string): Schema => ({ $ref: name })
