import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { runtime } from './runtime'

/** open(2). */
const O_CLOEXEC = 0o2000000

/** undefined: closed meanwhile. */
const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** What this process has open, which those that it starts may have inherited. */
const callersOwn = (): ReadonlySet<string> =>
  new Set(readdirSync('/proc/self/fd').flatMap((fd) => linkOf(`/proc/self/fd/${fd}`) ?? []))

/** Numbers above the standard streams. */
export const descriptorsOf = (pid: number): readonly number[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map(Number)
    .filter((fd) => fd > 2)

/** What stays open across execve(2), besides what the caller gave. */
export const inherited = (pid: number): readonly string[] => {
  const given = callersOwn()
  return descriptorsOf(pid).flatMap((fd) => {
    const target = linkOf(`/proc/${pid}/fd/${fd}`)
    if (target === undefined || given.has(target)) return []
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0 ? [`${fd}: ${target}`] : []
  })
}

/**
 * Whether the process is still a runtime's: init that waits for start, or who attends to a container. Its program is the file, a copy
 * in memory, or what an overlay that is mounted nowhere shows of it: then its path is that within the overlay.
 */
const isRuntime = (pid: number): boolean => {
  const program = linkOf(`/proc/${pid}/exe`) ?? ''
  const { path } = runtime()
  return program === path || program === `/${basename(path)}` || /^\/memfd:/.test(program)
}

/**
 * What these processes of tsrunc would hand on to a program, in words. The probe looks itself when it is executed.
 *
 * Seen to fail, at the end of tests that leave a container waiting for start, with exec.result open in init without O_CLOEXEC.
 */
export const handedOn = (pids: readonly number[]): string[] =>
  runtime().name !== 'tsrunc'
    ? []
    : pids.filter(isRuntime).flatMap((pid) => {
        try {
          return inherited(pid).map((what) => `descriptor of process ${pid} that a program would inherit: ${what}`)
        } catch {
          // It has ended.
          return []
        }
      })

/** The containers of this bundle are given descriptors by the test: the probe does not take them for forgotten ones. */
export const givesDescriptors = (b: { readonly file: (path: string, content: string) => string }): void => {
  b.file('bin/probe.given', '')
}
