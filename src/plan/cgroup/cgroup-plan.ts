import type { Op } from '../ops'

/** What a plan does about the container's cgroups. */
export interface CgroupPlan {
  /** host: before init is cloned. */
  readonly before: readonly Op[]
  /** v2: the directory into which init is cloned; '' where it is not. */
  readonly intoCgroup: string
  /** v2: the container's own directory, or ''. */
  readonly directory: string
  /** host: once init is there, before it is let go on. */
  readonly afterClone: readonly Op[]
  /** host: once init's namespaces and mounts are there. */
  readonly afterNamespaces: readonly Op[]
  /** v2: the directory beneath the container's own into which init is moved then, or ''. */
  readonly delegated: string
  /** init, v1: entering the cgroups. */
  readonly enter: readonly Op[]
  /** host: end what is still running in the container's cgroups. */
  readonly destroy: readonly Op[]
  /** The container's cgroup directories; on v1 the one of pids first, else of freezer. */
  readonly paths: readonly string[]
  /** File and text that tell a frozen cgroup, or ''. */
  readonly frozenFile: string
  readonly frozenText: string
}

export const NO_CGROUP: CgroupPlan = {
  before: [],
  intoCgroup: '',
  directory: '',
  afterClone: [],
  afterNamespaces: [],
  delegated: '',
  enter: [],
  destroy: [],
  paths: [],
  frozenFile: '',
  frozenText: '',
}
