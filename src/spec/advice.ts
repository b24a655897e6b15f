import { quote } from '../errors'
import { MOUNT_OPTIONS, mountOption } from '../tables/mount-options'
import type { Fault } from './fault'
import { escapeStep, valueAt } from './json'
import { didYouMean, nearest } from './nearest'
import { SCHEMAS } from './schema'
import type { Schema } from './schema/schema'
import { sectionOf } from './sections'

/** config.md "Platform-specific configuration": what a runtime of another platform reads, by pointer. */
const OTHER_PLATFORMS: readonly string[] = [
  '/freebsd',
  '/process/commandLine',
  '/process/user/username',
  '/solaris',
  '/vm',
  '/windows',
  '/zos',
]

/** What the specification advises against, or has no longer, by pointer. */
const DISCOURAGED: readonly (readonly [pointer: string, message: string, suggestion: string])[] = [
  ['/hooks/prestart', 'is deprecated', 'use createRuntime, which is run right behind it'],
  ['/linux/intelRdt/enableCMT', 'is gone since version 1.3.0', 'use enableMonitoring'],
  ['/linux/intelRdt/enableMBM', 'is gone since version 1.3.0', 'use enableMonitoring'],
  ['/linux/resources/memory/kernel', 'is not recommended', 'limit includes the memory of the kernel'],
  ['/linux/resources/memory/kernelTCP', 'is not recommended', 'limit includes the memory of the kernel'],
]

/**
 * What a person who writes a config.json wants to know and an engine that runs one does not: properties that are
 * ignored or discouraged, and words that are probably mistyped. All of it is legal.
 *
 * @param document the parsed text, of right types or not
 */
export function adviceOn(document: unknown): readonly Fault[] {
  return [...unknownProperties(SCHEMAS['config'] ?? {}, document, ''), ...discouraged(document), ...misspelt(document)]
}

function advice(rule: string, pointer: string, message: string, suggestion?: string): Fault {
  return { severity: 'warning', rule, pointer, message, suggestion, section: sectionOf(pointer), at: 'name' }
}

const resolved = (schema: Schema): Schema => (schema.$ref === undefined ? schema : (SCHEMAS[schema.$ref] ?? schema))

/** config.md "Extensibility": they MUST be ignored, so that a misspelt one goes unnoticed. */
function* unknownProperties(reference: Schema, value: unknown, pointer: string): Iterable<Fault> {
  if (typeof value !== 'object' || value === null) return
  const { properties = {}, items, additionalProperties: others = items } = resolved(reference)
  for (const [name, member] of Object.entries(value)) {
    const inner = `${pointer}/${escapeStep(name)}`
    const schema = Object.hasOwn(properties, name) ? properties[name] : others
    if (schema === undefined) yield unknownProperty(name, inner, Object.keys(properties))
    else yield* unknownProperties(schema, member, inner)
  }
}

function unknownProperty(name: string, pointer: string, known: readonly string[]): Fault {
  if (OTHER_PLATFORMS.includes(pointer)) {
    return advice('other-platform', pointer, 'is for another platform than Linux, and is ignored')
  }
  const suggestion = didYouMean(name, known) ?? elsewhere(name)
  return advice('unknown-property', pointer, 'is no property of the specification, and is ignored', suggestion)
}

/** Where a property of this name belongs, if only one object has one. */
function elsewhere(name: string): string | undefined {
  const places = [...placesOf(SCHEMAS['config'] ?? {}, '', name)]
  return places.length === 1 ? `it belongs to ${places[0] === '' ? 'the top' : places[0]}` : undefined
}

/** Pointers of the objects that have a property of this name, outside of lists and maps. */
function* placesOf(reference: Schema, pointer: string, name: string): Iterable<string> {
  const { properties = {} } = resolved(reference)
  if (Object.hasOwn(properties, name)) yield pointer
  for (const [inner, schema] of Object.entries(properties)) yield* placesOf(schema, `${pointer}/${inner}`, name)
}

function* discouraged(document: unknown): Iterable<Fault> {
  for (const [pointer, message, suggestion] of DISCOURAGED) {
    if (valueAt(document, pointer) !== undefined) yield advice('deprecated', pointer, message, suggestion)
  }
}

/** A file system that does not know the word either refuses it with "invalid argument". */
const LEAST_OPTION = 4

/** Words of mounts[].options that are passed to the file system, and differ from an option of mount(8) by one letter. */
function* misspelt(document: unknown): Iterable<Fault> {
  for (const [index, mount] of asList(valueAt(document, '/mounts')).entries()) {
    const options = asList(valueAt(mount, '/options'))
    if (options.includes('bind') || options.includes('rbind')) continue
    for (const [at, word] of options.entries()) {
      if (typeof word !== 'string' || word.length < LEAST_OPTION || mountOption(word) !== undefined) continue
      const meant = nearest(word, Object.keys(MOUNT_OPTIONS))
      if (meant === undefined || Math.abs(meant.length - word.length) > 1) continue
      const message = `${quote(word)} is passed to the file system`
      yield advice('mount-option-spelling', `/mounts/${index}/options/${at}`, message, didYouMean(word, [meant]))
    }
  }
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
