import type { Fault, Rule } from './fault'
import { fromPointer, PointerSet, toPointer } from './json'
import { PREFIX, type SchemaName, schemaErrors } from './schema-faults'

/** What the schema accepts of a value that it refuses, so that the rules can look at the rest. */
interface Salvaged {
  readonly value: unknown
  /** Where a pointer into what is left points in the value that it was salvaged from: elements of lists have moved. */
  readonly original: (pointer: string) => string
}

/**
 * What a property that is required is taken for when it is missing or refused, by its place in config.json, so that the
 * object around it is not lost to the rules. No rule objects to these.
 */
const STAND_INS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['/ociVersion', '1.0.0'],
  ['/root', { path: '/' }],
  ['/process/cwd', '/'],
  ['/linux/seccomp/defaultAction', 'SCMP_ACT_ERRNO'],
])

/** Where the elements of each list stood. */
type Origins = Map<object, readonly number[]>

function copy(value: unknown, origins: Origins): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const list = value.map((element) => copy(element, origins))
    origins.set(list, [...list.keys()])
    return list
  }
  const object = {}
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(object, name, { value: copy(member, origins), ...OWN })
  }
  return object
}

const OWN = { enumerable: true, configurable: true, writable: true } as const

function memberAt(value: unknown, path: readonly string[]): unknown {
  let member = value
  for (const step of path)
    member = typeof member === 'object' && member !== null ? Reflect.get(member, step) : undefined
  return member
}

/** Takes elements out of a list, given by their indexes. */
function dropElements(list: unknown[], indexes: ReadonlySet<number>, origins: Origins): void {
  const left = [...list.keys()].filter((index) => !indexes.has(index))
  const places = origins.get(list) ?? []
  origins.set(
    list,
    left.map((index) => places[index] ?? index),
  )
  // Not splice(0, length, ...left): the arguments of a call have to fit the stack. No element moves up.
  left.forEach((index, at) => {
    list[at] = list[index]
  })
  list.length = left.length
}

/** Takes out of a value what the paths lead to. */
function drop(value: unknown, paths: readonly (readonly string[])[], origins: Origins): void {
  const elements = new Map<unknown[], Set<number>>()
  for (const path of paths) {
    const parent = memberAt(value, path.slice(0, -1))
    const last = path.at(-1) ?? ''
    if (Array.isArray(parent)) {
      const indexes = elements.get(parent) ?? new Set()
      elements.set(parent, indexes.add(Number(last)))
    } else if (typeof parent === 'object' && parent !== null) {
      Reflect.deleteProperty(parent, last)
    }
  }
  for (const [list, indexes] of elements) dropElements(list, indexes, origins)
}

/**
 * Takes out of a copy of the value whatever the schema refuses, and then what lacks a required property because of that.
 * Undefined where nothing is left.
 */
function salvage(schema: SchemaName, refused: unknown): Salvaged | undefined {
  const origins: Origins = new Map()
  const value = copy(refused, origins)
  for (let errors = schemaErrors(schema, value); errors.length > 0; errors = schemaErrors(schema, value)) {
    const paths: (readonly string[])[] = []
    for (const { pointer, keyword, params } of errors) {
      const path = fromPointer(pointer)
      const missing = keyword === 'required' ? `${pointer}/${params.missingProperty}` : undefined
      const standIn = missing === undefined ? undefined : STAND_INS.get(PREFIX[schema] + missing)
      const object = memberAt(value, path)
      if (standIn !== undefined && typeof object === 'object' && object !== null) {
        Reflect.set(object, params.missingProperty ?? '', standIn)
      } else if (keyword === 'propertyNames') {
        paths.push([...path, params.propertyName ?? ''])
      } else if (path.length === 0) {
        return undefined
      } else {
        paths.push(path)
      }
    }
    drop(value, paths, origins)
  }
  return { value, original: (pointer) => toPointer(originalPath(value, fromPointer(pointer), origins)) }
}

function originalPath(value: unknown, path: readonly string[], origins: Origins): readonly string[] {
  let member = value
  return path.map((step) => {
    const places = typeof member === 'object' && member !== null ? origins.get(member) : undefined
    member = typeof member === 'object' && member !== null ? Reflect.get(member, step) : undefined
    return String(places?.[Number(step)] ?? step)
  })
}

/** The pattern with the steps of the path that it shares, up to where it has any step. */
function boundTo(path: readonly string[], pattern: string): readonly string[] {
  const steps = fromPointer(pattern)
  const apart = steps.findIndex((step, index) => step !== '*' && step !== path[index])
  const bound = steps.map((step, index) => (step === '*' && (apart < 0 || index < apart) ? (path[index] ?? '*') : step))
  const open = bound.indexOf('*')
  return open < 0 ? bound : bound.slice(0, open)
}

/**
 * Faults by the rules of a value that the schema refuses.
 *
 * @param bySchema what the schema refuses: it is not said again, and nothing is said that rests on it
 */
export function faultsBeside<T>(
  schema: SchemaName,
  refused: unknown,
  bySchema: readonly Fault[],
  { find, rules }: { readonly find: (value: T) => readonly Fault[]; readonly rules: readonly Rule[] },
): readonly Fault[] {
  const salvaged = salvage(schema, refused)
  if (salvaged === undefined) return []
  const prefix = fromPointer(PREFIX[schema])
  const bad = new PointerSet()
  for (const { pointer } of bySchema) bad.add([...prefix, ...fromPointer(pointer)])
  const supports = new Map(rules.map(({ id, restsOn = [] }) => [id, restsOn]))
  // Sentences name other properties by their pointers in config.json.
  const inText = (text: string): string =>
    PREFIX[schema] + salvaged.original(text.startsWith(PREFIX[schema]) ? text.slice(PREFIX[schema].length) : text)
  // The generated validator has just proved it: a value which it accepts is of the type that it was written for.
  return find(salvaged.value as T).flatMap((fault) => {
    const pointer = salvaged.original(fault.pointer)
    const path = [...prefix, ...fromPointer(pointer)]
    if (bad.has(path) || supports.get(fault.rule)?.some((pattern) => bad.touches(boundTo(path, pattern)))) return []
    return [{ ...fault, pointer, message: fault.message.replace(POINTERS, inText) }]
  })
}

/** Pointers of config.json within a sentence. */
const POINTERS = /(?<=^| )\/(?:linux|mounts|process)(?:\/[^\s/,)]+)+/g
