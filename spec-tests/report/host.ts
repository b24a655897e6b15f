import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cgroupVersion } from '../lib/cgroups'
import { hasCallsOfI386, hasCapability } from '../lib/requires'

const versionOf = (program: string): string => {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return `${program} ${/version:? (\d+(?:\.\d+)*)/.exec(text)?.[1] ?? '?'}`
}

/**
 * What results depend on beside the sources, in one line: those of different hosts are not compared.
 *
 * @param machines names of the virtual machines whose results are among them
 */
export const describeHost = (machines: readonly string[]): string => {
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').slice(0, 2).join('.')
  const capabilities = hasCapability('CAP_SYS_RESOURCE') ? 'all capabilities' : 'without CAP_SYS_RESOURCE'
  const virtual = machines.length === 0 ? 'no virtual machine' : `virtual machines ${machines.join(' ')}`
  const processor = process.arch === 'x64' && !hasCallsOfI386() ? ['without system calls of i386'] : []
  const own = [`Linux ${kernel}`, `cgroup v${cgroupVersion()}`, capabilities, ...processor, virtual]
  return [...own, versionOf('runc'), versionOf('crun')].join(', ')
}
