import { posix } from 'node:path'

/** An absolute path without ".", "..", doubled or final slashes, by its text alone; what is relative is beneath "/". */
export function cleanPath(path: string): string {
  // Nearly every path is clean already; a look at its text costs less than taking it apart.
  if (path.startsWith('/') && path.length > 1 && !path.endsWith('/') && !/\/[./]/.test(path)) return path
  const clean = posix.normalize(`/${path}`)
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

/** `path` is `directory` or beneath it; both clean. */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)

/** One step of a JSON pointer (RFC 6901). */
export const pointerStep = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
