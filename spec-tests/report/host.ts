import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cgroupVersion } from '../lib/cgroups'
import { hasCapability } from '../lib/requires'

const versionOf = (program: string): string => {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return `${program} ${/version:? (\d+(?:\.\d+)*)/.exec(text)?.[1] ?? '?'}`
}

/** What results depend on beside the sources, in one line: those of different hosts are not compared. */
export const describeHost = (): string => {
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').slice(0, 2).join('.')
  const capabilities = hasCapability('CAP_SYS_RESOURCE') ? 'all capabilities' : 'without CAP_SYS_RESOURCE'
  return [`Linux ${kernel}`, `cgroup v${cgroupVersion()}`, capabilities, versionOf('runc'), versionOf('crun')].join(
    ', ',
  )
}
