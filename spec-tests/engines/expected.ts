/**
 * Rows that fail with runc as well, by "ENGINE: ROW", with what is to blame. They are run with tsrunc all the same, and may
 * pass or fail.
 */
export const HOSTS: Readonly<Record<string, string>> = {}

/** Rows that fail with tsrunc only, by "ENGINE: ROW": what is to be done. Their failure is printed and counted as a gap. */
export const GAPS: Readonly<Record<string, string>> = {}
