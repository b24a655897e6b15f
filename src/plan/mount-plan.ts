import type { IdMapping } from '../spec/types'
import type { MountFlags } from './mount-options'

/** One entry of config.json's mounts, read. */
export interface MountPlan {
  /** `/mounts/N`. */
  readonly pointer: string
  readonly what: string
  /** Clean absolute path of the container. */
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: MountFlags
  /** uidMappings and gidMappings. */
  readonly uids: readonly IdMapping[]
  readonly gids: readonly IdMapping[]
  /** Made read-only only after all other mounts and devices, see mounts.ts. */
  readonly readonlyLater: boolean
}
