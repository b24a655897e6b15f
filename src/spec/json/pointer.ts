/** RFC 6901 JSON pointers. */

/** One step of a pointer: the name of a member or the index of an element. */
export type Step = string | number

/** `~` and `/` of a name as they stand in a pointer (RFC 6901 section 3). */
export const escapeStep = (step: Step): string =>
  typeof step === 'number' ? String(step) : step.replaceAll('~', '~0').replaceAll('/', '~1')

/** The pointer of a path: `['mounts', 7, 'source']` is `/mounts/7/source`. */
export const toPointer = (path: readonly Step[]): string => path.map((step) => `/${escapeStep(step)}`).join('')

/** The unescaped names of a pointer. `''` is the whole document. */
export const fromPointer = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

/** The value at a pointer, or undefined where there is none. */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document
  for (const step of fromPointer(pointer)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = Reflect.get(value, step)
  }
  return value
}
