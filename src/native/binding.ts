import { join } from 'node:path'

/** What the addon throws: as node's own system errors, with the errno's name and number, the system call and, where
 *  there is one, the path. `detail`: a sentence for a person where the errno alone would mislead. */
export interface NativeError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall?: string
  readonly path?: string
  readonly detail?: string
}

export interface PlanServerOptions {
  /** Of a new socket, of mode 0600; undefined: `fd` is one that listens. */
  readonly path: string | undefined
  readonly fd: number
  /** Of which callers are offered a copy to become. */
  readonly executable: string
  /** Callers at a time. */
  readonly most: number
  /**
   * A message is whole. `pid`: of who connected, if it is of the same user and sees the same host (native/addon/peer.h),
   * else 0. `facts`: a number of what look() has found.
   */
  readonly hear: (connection: number, pid: number, message: Buffer, facts: number) => void
  /** One that was asked does not answer. */
  readonly forget: (connection: number) => void
  /** The mount table has changed: whether all that was found out about the host is as it was. */
  readonly look: () => boolean
}

/** native/addon/repeated_plans.h. */
export interface KeptPlan {
  readonly message: Uint8Array
  readonly words: readonly {
    readonly index: number
    readonly kind: 'id' | 'path'
    readonly places: readonly number[]
  }[]
  readonly looks: readonly (readonly [path: string, text: string])[]
  readonly reply: Uint8Array
}

export interface ProgramOptions {
  readonly file: string
  readonly argv: readonly string[]
  /** Its standard input; undefined: /dev/null. */
  readonly input: Uint8Array | undefined
  /** Bytes of each stream; what is longer is cut. */
  readonly most: number
  /** It has ended. `status`: 128 + N where signal N ended it. */
  readonly done: (status: number, stdout: string, stderr: string) => void
}

/** The addon's functions (native/addon/addon.cc). Each throws a NativeError. */
export interface Binding {
  /** Starts what handOff needs and the plan does not decide, beside JavaScript: the sealed copy of `executable`. */
  beginHandOff(executable: string): void
  /**
   * Ends node: seals `plan` into a memfd, gives back what node changed in this process by the record in descriptor
   * `handoff` (limits, signal dispositions and mask, O_NONBLOCK and close-on-exec of the caller's descriptors), and
   * executes a sealed copy of the executable at `executable` with the launcher's argv. `trace`: value of _TSRUNC_TRACE
   * (native/launcher/trace_file.h), or empty. Returns only by throwing.
   */
  handOff(executable: string, handoff: number, plan: Uint8Array, argv: readonly string[], trace: string): never
  /**
   * Locks the container whose state directory is `path` (native/engine/state_lock.h) for the rest of this process, or
   * throws EBUSY when `milliseconds` are over, ENOENT when it is gone. handOff passes the lock on with the plan.
   */
  lockContainer(path: string, milliseconds: number): void
  /** The same without a plan and without a copy: runs `executable` with other arguments, for verbs that need no
   *  JavaScript. */
  execute(executable: string, handoff: number, argv: readonly string[], trace: string): never
  /** CRC-32C, as saved files carry it (native/sys/crc32c.h). */
  checksum(bytes: Uint8Array): number
  /** One message to the service of `target`, "journald:NAME" or "syslog:NAME"; `priority` as of syslog(3). */
  sendLog(target: string, priority: number, message: string): void
  /** _exit(2), after giving back what node changed, by the record in descriptor `handoff`. */
  exit(handoff: number, code: number): never
  /**
   * The compiled program of a request in the cache beneath the state directory `root` (native/addon/seccomp_cache.h), or
   * undefined. `compiler`: path of the addon that would compile it.
   */
  findSeccomp(root: string, compiler: string, request: Uint8Array): Uint8Array | undefined
  /** Takes connections of callers until stopPlans (native/addon/planner_server.h). Returns the server's number. */
  servePlans(options: PlanServerOptions): number
  /** Sends a reply. `asks`: the caller answers it once more. */
  answerPlan(server: number, connection: number, reply: Uint8Array, asks: boolean): void
  /** Hangs up without a reply. */
  dropPlan(server: number, connection: number): void
  /** How many are connected. */
  planCallers(server: number): number
  /** Answers requests like this one from now on, unless the facts are no longer those of `facts`. */
  keepPlan(server: number, plan: KeptPlan, facts: number): void
  /** What plans that are made now hold for (native/launcher/kept_facts.h); undefined: nobody keeps plans here. */
  keptFacts(): string | undefined
  /**
   * Keeps it beneath `root`, the directory of all containers' state, for calls without a planner. What cannot be kept is not.
   * `files`: those that it was made with. `facts`: from before it was made.
   */
  keepInFile(root: string, plan: KeptPlan, files: readonly string[], facts: string): void
  /** How many were answered so. */
  repeatedPlans(server: number): number
  /** Ends all connections and takes no more. */
  stopPlans(server: number): void
  /** Runs a program, without fork(2)'s copy of this process (native/addon/program.h). Returns its pid. */
  runProgram(options: ProgramOptions): number
  /** Keeps a program that was compiled with the libseccomp at `library`. What cannot be kept is not. */
  keepSeccomp(root: string, compiler: string, request: Uint8Array, library: string, program: Uint8Array): void
}

/** The functions of the addon that is linked with libseccomp (native/addon/seccomp/module.cc). */
export interface SeccompBinding {
  /** "2.5.4" */
  readonly version: string
  /** The file of libseccomp. */
  readonly library: string
  /**
   * BPF (struct sock_filter[]) of an encoded SeccompProgramRequest. Rules of unknown system calls and rules whose action
   * is the default one are skipped; conditions of one rule must all hold. Where the default action denies, system calls
   * that are newer than all those that the profile names are answered with ENOSYS, so that C libraries fall back. Throws
   * a NativeError.
   */
  compile(request: Uint8Array): Uint8Array
  /** Whether the linked libseccomp knows the architecture, as in "SCMP_ARCH_X86_64". */
  knowsArchitecture(name: string): boolean
  /** Whether the kernel takes a filter with the flag, as in "SECCOMP_FILTER_FLAG_TSYNC". */
  supportsFlag(name: string): boolean
}

/** The directory of the bundle, dist; written in by tools/build.ts. */
declare const TSRUNC_DIST: string

/** Where `npm run build` puts the products of binding.gyp. */
const RELEASE = join(TSRUNC_DIST, '..', 'build', 'Release')

/** The static executable that the user starts, and that node gives the process back to. */
export const EXECUTABLE = join(RELEASE, 'tsrunc')

/** All that a call of tsrunc runs, as one file. */
export const BUNDLE = join(TSRUNC_DIST, 'bundle.js')

/**
 * Without require(), which looks for a package and follows links first. Each file of dist/ that has this module loads the addons
 * for itself; they keep nothing that such files would have to share.
 */
function load(path: string): unknown {
  const addon: { exports: unknown } = { exports: {} }
  process.dlopen(addon, path)
  return addon.exports
}

/** The addon, loaded at first use: most runs of node here end in handOff, some never need it. */
let loaded: Binding | undefined

export function binding(): Binding {
  loaded ??= load(join(RELEASE, 'tsrunc_addon.node')) as Binding
  return loaded
}

/** Loads libseccomp, which most runs do without. */
export const SECCOMP_ADDON = join(RELEASE, 'tsrunc_seccomp.node')

let loadedSeccomp: SeccompBinding | undefined

export function seccompBinding(): SeccompBinding {
  loadedSeccomp ??= load(SECCOMP_ADDON) as SeccompBinding
  return loadedSeccomp
}
