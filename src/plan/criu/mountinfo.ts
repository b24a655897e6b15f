import { isWithin } from '../paths'

/** A line of proc_pid_mountinfo(5), as far as it matters here. */
export interface MountInfo {
  readonly id: number
  /** "major:minor" of the file system. */
  readonly device: string
  /** The directory of the file system that is mounted. */
  readonly root: string
  readonly mountPoint: string
  readonly fstype: string
}

/** Space, tab, newline and backslash stand as octal numbers. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

function readLine(line: string): MountInfo | undefined {
  const [before = '', after = ''] = line.split(' - ', 2)
  const [id, , device, root, mountPoint] = before.split(' ')
  const [fstype] = after.split(' ')
  if (id === undefined || device === undefined || root === undefined || mountPoint === undefined) return undefined
  if (fstype === undefined || fstype === '') return undefined
  return { id: Number(id), device, root: unescaped(root), mountPoint: unescaped(mountPoint), fstype }
}

export const parseMountInfo = (text: string): readonly MountInfo[] =>
  text.split('\n').flatMap((line) => readLine(line) ?? [])

/** File systems whose content is the kernel's: CRIU mounts them anew. */
const OWN = new Set(['proc', 'sysfs', 'mqueue', 'devpts', 'binfmt_misc', 'securityfs', 'debugfs', 'tracefs', 'fusectl'])

const isCgroup = ({ fstype }: MountInfo): boolean => fstype === 'cgroup' || fstype === 'cgroup2'

/**
 * Mount points of the container that come from outside of it, which CRIU does not save: what is on a file system that is
 * mounted at the host too, and cgroups, whose directories are made before a restore. The root itself is not among them.
 */
export function externalMounts(container: readonly MountInfo[], host: readonly MountInfo[]): readonly string[] {
  const hostDevices = new Set(host.map(({ device }) => device))
  const whole = new Set(container.filter(({ root }) => root === '/').map(({ device }) => device))
  const top = container.findLast(({ mountPoint }) => mountPoint === '/')
  const isExternal = (mount: MountInfo): boolean => {
    if (mount.mountPoint === '/') return false
    // A part of the root that is mounted once more, as read-only paths are.
    if (top !== undefined && mount.device === top.device && isWithin(mount.root, top.root)) return false
    if (isCgroup(mount)) return true
    if (OWN.has(mount.fstype)) return !whole.has(mount.device)
    return hostDevices.has(mount.device)
  }
  return [...new Set(container.filter(isExternal).map(({ mountPoint }) => mountPoint))]
}
