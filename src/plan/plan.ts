import type { Op } from './ops'

export const PLAN_VERSION = 1

/** What the engine has to know of the container besides operations. Strings that end in Json are finished JSON text:
 *  the engine pastes them between the facts that only it knows (pid, status, time). */
export interface PlanHeader {
  readonly id: string
  /** Directory of the container's state, `ROOT/ID`. */
  readonly stateDir: string
  readonly bundle: string
  readonly ociVersionJson: string
  readonly idJson: string
  readonly bundleJson: string
  readonly rootfsJson: string
  /** Pretty-printed at an indentation of two, as it stands in `tsrunc state`. */
  readonly annotationsJson: string
  /** Signal number of `tsrunc kill ID` without a signal (org.opencontainers.image.stopSignal), 15 if none. */
  readonly stopSignal: number
  /** File and value that tell a frozen cgroup (v1 freezer.state "FROZEN", v2 cgroup.events "frozen 1"), or ''. */
  readonly frozenFile: string
  readonly frozenText: string
  /** The cgroup directories of the container, for kill --all; the one of `cgroup.kill` or pids first. */
  readonly cgroupPaths: readonly string[]
  /** The container has a process to start. */
  readonly hasProcess: boolean
  /** A pid namespace of its own: init's death ends every process. */
  readonly ownPidNamespace: boolean
  readonly terminal: boolean
  /** Its processes get a session keyring of their own. */
  readonly ownKeyring: boolean
  /** Number of descriptors from 3 on that the container keeps. */
  readonly preserveFds: number
  /** The bytes of config.json as they were read, kept in the state directory. */
  readonly config: Uint8Array
}

/** Everything that will be done with a container, resolved. Frozen. */
export interface Plan {
  readonly version: typeof PLAN_VERSION
  readonly header: PlanHeader
  /** host: from nothing to created. */
  readonly create: readonly Op[]
  /** init: from clone to waiting for start. */
  readonly init: readonly Op[]
  /** init: from start to execve. */
  readonly initStart: readonly Op[]
  /** host: after the program runs. */
  readonly start: readonly Op[]
  /** host: destruction. */
  readonly delete: readonly Op[]
}
