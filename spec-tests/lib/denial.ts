import { readFileSync } from 'node:fs'
import { deny } from './programs'
import type { Outcome } from './spawn'

/**
 * SPEC_DENY=CALL:ERRNO: for the runtime and what it starts this system call fails, as on a kernel that does not know it (ENOSYS) or
 * beneath the filter of an outer container (EPERM). Then a test passes, or the runtime has refused in words that name the call.
 */
const WANTED = process.env['SPEC_DENY'] ?? ''
const [, CALL = '', ERRNO = ''] = /^(\w+):(ENOSYS|EPERM)$/.exec(WANTED) ?? []

if (WANTED !== '' && CALL === '') {
  throw new Error(`SPEC_DENY=${WANTED} is not CALL:ENOSYS or CALL:EPERM`)
}

export const denies = (): boolean => CALL !== ''

/** What stands before the runtime's command. */
export const denying = (): readonly string[] => (denies() ? [deny(), ERRNO, CALL] : [])

/** How many system call filters a container has that its configuration does not ask for: those of who runs the tests, and SPEC_DENY's. */
export const outerFilters = (): number =>
  Number(/^Seccomp_filters:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0') + (denies() ? 1 : 0)

/** Without warnings of what the runtime did without because of what SPEC_DENY takes away. */
export const undenied = (stderr: string): string =>
  denies() ? stderr.replaceAll(new RegExp(`^.*warning: .*\\b${CALL}\\b.*\\b${ERRNO}\\b.*\n`, 'gm'), '') : stderr

/** Whether the runtime has said that it cannot do without the call. */
export const refuses = ({ status, stderr }: Outcome): boolean =>
  denies() && status !== 0 && new RegExp(`\\b${CALL}\\b.*\\(?${ERRNO}\\b`).test(stderr)

export const denial = (): string => WANTED
