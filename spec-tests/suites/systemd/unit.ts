import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Bundle, bundle, type Config, cgroupVersion } from '../../lib'

/** The flag that all of runc, crun and tsrunc have. */
export const SYSTEMD = { global: ['--systemd-cgroup'] }

/** A container whose cgroup is the scope test-ID.scope of system.slice. */
export const scopeBundle = async (
  change: (config: Config, bundle: Bundle) => void = () => undefined,
): Promise<Bundle> =>
  await bundle((c, b) => {
    c.linux.cgroupsPath = `system.slice:test:${b.id}`
    change(c, b)
  })

export const scopeOf = (b: Bundle): string => `test-${b.id}.scope`

/** The cgroup of the scope, as in /proc/PID/cgroup. */
export const pathOf = (b: Bundle): string => `/system.slice/${scopeOf(b)}`

export const systemctl = (...args: readonly string[]): string =>
  execFileSync('systemctl', args, { encoding: 'utf8' }).trim()

/** Properties of the unit as `systemctl show` prints them. */
export const shown = (unit: string, ...names: readonly string[]): Readonly<Record<string, string>> => {
  const lines = systemctl('show', unit, ...names.map((name) => `--property=${name}`)).split('\n')
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/** Whether systemd knows the unit, running or failed. */
export const isLoaded = (unit: string): boolean => shown(unit, 'LoadState')['LoadState'] === 'loaded'

/** The cgroup that systemd counts the process to. */
export const cgroupOf = (pid: number): string => {
  const name = cgroupVersion() === 2 ? '' : 'name=systemd'
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
  return (
    lines
      .find((line) => line.split(':')[1] === name)
      ?.split(':')
      .slice(2)
      .join(':') ?? ''
  )
}
