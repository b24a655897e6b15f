/** One line of /proc/PID/mountinfo, proc_pid_mountinfo(5). */
export interface MountLine {
  readonly id: number
  readonly parent: number
  readonly device: string
  readonly root: string
  readonly target: string
  readonly options: readonly string[]
  /** `shared:N`, `master:N`, `propagate_from:N`, `unbindable`. */
  readonly propagation: readonly string[]
  readonly type: string
  readonly source: string
  readonly superOptions: readonly string[]
}

const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

const parseLine = (line: string): MountLine => {
  const [left = '', right = ''] = line.split(' - ')
  const [id = '', parent = '', device = '', root = '', target = '', options = '', ...propagation] = left.split(' ')
  const [type = '', source = '', superOptions = ''] = right.split(' ')
  return {
    id: Number(id),
    parent: Number(parent),
    device,
    root: unescapeOctal(root),
    target: unescapeOctal(target),
    options: options.split(','),
    propagation: propagation.filter((word) => word !== ''),
    type,
    source: unescapeOctal(source),
    superOptions: superOptions.split(','),
  }
}

/** The mounts in the order of the file. */
export const parseMountinfo = (text: string): MountLine[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine)

/**
 * The mount that is seen at the path: the last one of those on it.
 *
 * @throws Error when nothing is mounted there
 */
export const mountAt = (text: string, target: string): MountLine => {
  const line = parseMountinfo(text).findLast((mount) => mount.target === target)
  if (line === undefined) {
    throw new Error(`nothing is mounted on ${target}:\n${text}`)
  }
  return line
}

export const isMounted = (text: string, target: string): boolean =>
  parseMountinfo(text).some((mount) => mount.target === target)
