// What can be seen of a container, as lines that two containers of one configuration have in common.
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, cgroupDirectory, parseMountinfo } from '../../lib'

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
  }
}

const STATUS = /^(Umask|Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp|Seccomp_filters|Cpus_allowed|Mems_allowed):/
const LIMITS = /^(memory\.(limit_in_bytes|max)|pids\.max|cpu\.(shares|weight)|devices\.list)$/
const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'] as const

const mountLines = (pid: number): string[] =>
  parseMountinfo(read(`/proc/${pid}/mountinfo`)).map(
    ({ target, type, options, superOptions }) =>
      `mount ${target} ${type} ${options.join(',')} ${superOptions.filter((word) => !word.startsWith('gid=')).join(',')}`,
  )

/** The limits that are in force, of the controllers that the rich bundle sets. */
export const limitLines = (b: Bundle): string[] =>
  ['memory', 'pids', 'cpu', 'devices'].flatMap((controller) => {
    const directory = cgroupDirectory(controller, b.config.linux.cgroupsPath ?? '')
    return readdirSync(directory)
      .filter((name) => LIMITS.test(name))
      .map((name) => `${name} ${read(join(directory, name)).trim()}`)
  })

const deviceLines = (pid: number): string[] => {
  const dev = `/proc/${pid}/root/dev`
  return readdirSync(dev)
    .map((name) => ({ name, about: statSync(join(dev, name), { throwIfNoEntry: false }) }))
    .map(({ name, about }) => `/dev/${name} ${about?.isDirectory() ? 'directory' : `${about?.mode} ${about?.rdev}`}`)
    .filter((line) => !/stdin|stdout|stderr/.test(line))
}

/** Of the first process of a container, from outside, and what its hooks have written since the last time. */
export const fingerprint = (b: Bundle, pid: number): string[] => [
  ...read(`/proc/${pid}/status`)
    .split('\n')
    .filter((line) => STATUS.test(line)),
  ...mountLines(pid),
  ...limitLines(b),
  ...deviceLines(pid),
  ...NAMESPACES.map((name) => {
    const same = readlinkSync(`/proc/${pid}/ns/${name}`) === readlinkSync(`/proc/self/ns/${name}`)
    return `namespace ${name} ${same ? 'ours' : 'its own'}`
  }),
  ...read(`/proc/${pid}/limits`).split('\n'),
  `oom_score_adj ${read(`/proc/${pid}/oom_score_adj`).trim()}`,
  ...hookNames(b),
]

/** The hooks that have run since the last time. */
export const hookNames = (b: Bundle): string[] => {
  const names = b.hookLines().map((line) => `hook ${line.hook} ${line.state.replaceAll(/\d+/g, 'N')}`)
  for (const log of [join(b.path, 'hooks.log'), join(b.rootfs, 'hooks.log')]) {
    writeFileSync(log, '')
  }
  return names
}
