// The path that a call is about, from its arguments as tools/faultat.cc writes them, and whether a message names it.

/** Which argument is the path. */
const NAMED: Readonly<Record<string, number>> = {
  ...{ open: 0, mkdir: 0, unlink: 0, rmdir: 0, access: 0, chdir: 0, readlink: 0, umount2: 0, execve: 0 },
  ...{ openat: 1, openat2: 1, mkdirat: 1, mknodat: 1, unlinkat: 1, newfstatat: 1, statx: 1, readlinkat: 1 },
  ...{ faccessat: 1, faccessat2: 1, renameat: 1, mount: 1 },
}

/** Calls whose first argument is the descriptor of what they are about. */
const OPEN = new Set(['read', 'write', 'pread64', 'newfstatat', 'getdents64', 'ftruncate', 'fchmod', 'fchown', 'flock'])

const argumentsOf = (text: string): string[] =>
  [...text.matchAll(/\d+<[^>]*>|"[^"]*"|\S+/g)].map(([argument]) => argument)

/** Of a standard stream no path is known to whoever has it, nor of what is no file. */
const behind = (argument: string): string | undefined => /^(?![012]<)\d+<(\/(?!memfd:)[^>]*)>/.exec(argument)?.[1]

/** Undefined where a call is about none; the planner's socket has a name of its own in messages. */
export const pathOf = (call: string, given: string): string | undefined => {
  const words = argumentsOf(given)
  const index = NAMED[call]
  const named = index === undefined ? undefined : /^"([^"]+)"$/.exec(words[index] ?? '')?.[1]
  if (named !== undefined && !['/', '.', '..', '~planner'].includes(named) && !named.startsWith('/proc/self/fd/'))
    return named
  return OPEN.has(call) ? behind(words[0] ?? '') : undefined
}

/** The whole path or its last name: paths of the container are told as the configuration has them, /proc/123 as /proc/PID. */
export const tells = (line: string, path: string): boolean =>
  line.includes(
    path
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? path,
  )
