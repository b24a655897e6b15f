/**
 * Rows that fail with runc as well, by "ENGINE: ROW", with what is to blame. They are run with tsrunc all the same, and may
 * pass or fail.
 */
export const HOSTS: Readonly<Record<string, string>> = {}

/** Rows that fail with tsrunc only, by "ENGINE: ROW": what is to be done. Their failure is printed and counted as a gap. */
export const GAPS: Readonly<Record<string, string>> = {
  'podman: run: 127 for a program that is not there':
    'tsrunc finds this at start; Podman makes 127 only of what create says, and 126 of an error of start',
}
