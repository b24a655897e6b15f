import { existsSync, readFileSync } from 'node:fs'
import type { ResctrlFacts } from './facts'

/** proc_pid_mountinfo(5): blank, tab, newline and backslash in a path are \ooo. */
const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** Where the resctrl file system is mounted, from the text of /proc/self/mountinfo; there is at most one of it. */
export function resctrlMountPoint(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, mountPoint] = before.split(' ')
    if (after.startsWith('resctrl ') && root === '/' && mountPoint !== undefined) return unescaped(mountPoint)
  }
  return undefined
}

/**
 * @param name of the group: a directory of resctrl, or "/" for the default class
 * @param mountinfo where the caller's mounts are listed
 * @returns undefined where resctrl is not mounted
 * @throws node's own error for a group that cannot be read
 */
export function probeResctrl(name: string, mountinfo = '/proc/self/mountinfo'): ResctrlFacts | undefined {
  const mountPoint = resctrlMountPoint(readFileSync(mountinfo, 'utf8'))
  if (mountPoint === undefined) return undefined
  const directory = name === '/' ? mountPoint : `${mountPoint}/${name}`
  if (!existsSync(directory)) return { mountPoint }
  const schemata = `${directory}/schemata`
  // "info", "mon_data" and "mon_groups" are no groups; entering them will say so.
  return { mountPoint, schemata: existsSync(schemata) ? readFileSync(schemata, 'utf8') : '' }
}
