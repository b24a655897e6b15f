/** A word of a command line that two requests may differ in: a plan has it where it has it, and depends on it in nothing else. */
export interface FreeWord {
  readonly index: number
  readonly kind: 'id' | 'path'
}

/** What a plan depends on beside the request. */
export interface Repeatable {
  readonly words: readonly FreeWord[]
  /** Texts that were looked at, by path; a relative one is in the caller's directory of proc(5). */
  readonly looks: ReadonlyMap<string, string>
}

/**
 * What stands in a plan as it was given: an ID that no path has to escape, a path that is what path.resolve makes of it.
 * native/addon/repeated_plans.cc checks the words of later callers by the same rules, and that they have everything but letters
 * and digits where the first one had it: systemd's names of objects escape that.
 */
const PLAIN = {
  id: /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  path: /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+)+$/,
} as const satisfies Readonly<Record<FreeWord['kind'], RegExp>>

/** Paths of files that the caller has read or that the engine makes. */
const PATHS = [
  ...['pid-file', 'console-socket', 'pidfd-socket', 'process'],
  ...['stdin', 'stdout', 'stderr', 'log-path'],
] as const

/**
 * The words of a command line that engines give another one each time.
 *
 * @param id of a container that is to be made; one that is there has a plan, which is part of the request
 */
export function freeWords(
  argv: readonly string[],
  options: Readonly<Record<string, unknown>>,
  id: string | undefined,
): readonly FreeWord[] {
  const free = (value: unknown, kind: FreeWord['kind'], option?: string): readonly FreeWord[] => {
    if (typeof value !== 'string' || !PLAIN[kind].test(value) || turned(value) === value) return []
    const index = argv.indexOf(value)
    // One that stands there twice, or behind another word, may be another option's.
    const isOwn = index >= 0 && argv.lastIndexOf(value) === index
    return isOwn && (option === undefined || argv[index - 1] === `--${option}`) ? [{ index, kind }] : []
  }
  const ids = [...free(id, 'id'), ...free(options['exec-id'], 'id', 'exec-id')]
  return [...ids, ...PATHS.flatMap((name) => free(options[name], 'path', name))]
}

const NEXT: Readonly<Record<string, string>> = { z: 'a', Z: 'A', '9': '0' }

/** A word of the same length and the same kinds of characters, of which no letter and no digit is the same. */
export const turned = (word: string): string =>
  word.replace(/[A-Za-z0-9]/g, (one) => NEXT[one] ?? String.fromCharCode(one.charCodeAt(0) + 1))
