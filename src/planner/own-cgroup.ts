import { readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** native/launcher/leave_cgroups.h has it too. */
const NAME = 'tsrunc-planner'

/** Where cgroup v2 is mounted whole, proc(5). */
function mountPoint(): string | undefined {
  const line = /^\d+ \d+ \d+:\d+ \/ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))
  return line?.[1]
}

/** Removes the cgroup that the launcher made for a planner which is left behind, when its last planner ends. */
export function leaveOwnCgroup(): void {
  const path = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  const mount = mountPoint()
  if (path === undefined || mount === undefined || !path.endsWith(`/${NAME}`)) return
  try {
    writeFileSync(`${mount}${dirname(path)}/cgroup.procs`, String(process.pid))
    rmdirSync(`${mount}${path}`)
  } catch {
    // Another planner is in it, or a user may not leave it: it is empty then, and the next planner's.
  }
}
