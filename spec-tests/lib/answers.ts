/** What the probe's commands answer, by command; spec-tests/probe defines them. */
export interface Answers {
  report: Report
  mounts: { readonly mountinfo: string }
  clocks: { readonly monotonic: number; readonly boottime: number }
  keyring: Errno & { readonly serial: number; readonly description: string }
  processes: { readonly processes: readonly { readonly pid: number; readonly command: string }[] }
  lstat: Stat
  stat: Stat
  ls: Errno & { readonly entries: readonly string[] }
  read: Errno & { readonly data: string }
  open: Errno
  lock: Errno
  write: Errno
  mkdir: Errno
  rm: Errno
  mknod: Errno
  chmod: Errno
  chown: Errno
  mount: Errno
  umount: Errno
  chdir: Errno
  statfs: Errno & { readonly type: number; readonly blocks: number; readonly blockSize: number; readonly files: number }
  xattr: Errno & { readonly value: string }
  syscall: Call
  'syscall-trapped': Call & { readonly sigsysErrno: number; readonly sigsysCall: number }
  'syscall-threaded': Call & { readonly processSurvived: boolean }
  'syscall-traced': Call & { readonly traced: boolean; readonly traceMessage: number }
  'syscall-ia32': Call
  notify: Errno
  fork: Errno & { readonly forked: number }
  scatter: object
  daemon: { readonly child: number }
  memory: { readonly signal: number; readonly status: number }
  exec: Errno & { readonly status: number }
  echo: { readonly words: readonly string[] }
  stdin: { readonly data: string }
  await: { readonly found: boolean }
  fd: Errno & { readonly data: string }
  kill: Errno
  terminal: Terminal
  scheduling: Scheduling
  /** Of a child of the program. */
  'fork-scheduling': Scheduling
  stderr: object
  sleep: object
  pause: object
  exit: object
  crash: object
  /** Prints lines of its own before. */
  signals: object
  /** Prints lines of its own before. */
  winch: object
}

export interface Errno {
  readonly errno: number
  /** The error's symbolic name, empty for none. */
  readonly error: string
}

export interface Stat extends Errno {
  readonly path: string
  readonly type: 'block' | 'char' | 'directory' | 'fifo' | 'symlink' | 'file' | 'socket'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly major: number
  readonly minor: number
  readonly device: number
  readonly inode: number
  readonly atime: number
  readonly target: string
}

export interface Call extends Errno {
  /** False when the process died at the call. */
  readonly returned: boolean
  readonly result: number
  readonly signal: number
}

export type CapabilitySet = 'inheritable' | 'permitted' | 'effective' | 'bounding' | 'ambient'

export interface Report {
  readonly pid: number
  readonly ppid: number
  readonly sid: number
  readonly pgid: number
  /** Real, effective, saved. */
  readonly uids: readonly [number, number, number]
  readonly gids: readonly [number, number, number]
  readonly groups: readonly number[]
  readonly umask: number
  readonly cwd: string
  readonly exe: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  /** Capability numbers, linux/capability.h. */
  readonly capabilities: Readonly<Record<CapabilitySet, readonly number[]>>
  readonly noNewPrivileges: boolean
  /** 0 none, 1 strict, 2 filter. */
  readonly seccomp: number
  readonly seccompFilters: string
  readonly speculation: string
  readonly signalsIgnored: string
  readonly signalsBlocked: string
  /** Soft and hard, as decimal digits. */
  readonly rlimits: Readonly<Record<string, readonly [string, string]>>
  /** What the links of /proc/self/ns say, by name there. */
  readonly namespaces: Readonly<Record<'cgroup' | 'ipc' | 'mnt' | 'net' | 'pid' | 'time' | 'user' | 'uts', string>>
  readonly hostname: string
  readonly domainname: string
  readonly machine: string
  readonly fds: readonly { readonly fd: number; readonly target: string; readonly cloexec: boolean }[]
  readonly tty: readonly [boolean, boolean, boolean]
  readonly oomScoreAdj: string
  readonly cgroup: string
  readonly personality: number
  readonly dumpable: number
  readonly parentDeathSignal: number
  readonly subreaper: number
}

export interface Terminal {
  readonly isatty: readonly [boolean, boolean, boolean]
  readonly rows: number
  readonly columns: number
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly mode: number
  readonly major: number
  readonly minor: number
  readonly controlling: boolean
  readonly devTtyErrno: number
  readonly foregroundGroup: number
  readonly pgid: number
  readonly sid: number
  readonly consoleErrno: number
  readonly consoleMajor: number
  readonly consoleMinor: number
}

/** sched_setattr(2), ioprio_set(2), set_mempolicy(2), sched_setaffinity(2). */
export interface Scheduling extends Errno {
  readonly policy: number
  readonly flags: number
  readonly nice: number
  readonly priority: number
  readonly runtime: number
  readonly deadline: number
  readonly period: number
  readonly ioClass: number
  readonly ioPriority: number
  readonly memoryPolicy: number
  readonly memoryNodes: readonly number[]
  readonly cpus: readonly number[]
}

/** One line that a hook wrote about itself. */
export interface HookLine {
  readonly hook: string
  readonly state: string
  readonly pid: number
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly root: string
  readonly seen: string
  readonly namespaces: Report['namespaces']
  readonly time: number
}

export type Command = readonly [keyof Answers, ...string[]]

/** The answers to a list of commands, one for one. */
export type AnswersTo<T extends readonly Command[]> = {
  -readonly [K in keyof T]: T[K] extends readonly [infer N extends keyof Answers, ...string[]] ? Answers[N] : never
}

/** The probe's command line for these commands. */
export const probeArgs = (commands: readonly Command[]): string[] => [
  '/bin/probe',
  ...commands.flatMap((command, index) => (index === 0 ? command : [',', ...command])),
]

/** @throws Error when the output is not one JSON value a line */
export const parseLines = (output: string): unknown[] =>
  output
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as unknown
      } catch {
        throw new Error(`not a line of JSON: ${line}`)
      }
    })
