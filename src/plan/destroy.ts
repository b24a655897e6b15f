import type { PlanBuilder } from './builder'
import { planHooks } from './hooks'

/** runtime.md "Lifecycle" 12 and 13: processes, then everything the journal knows, then the poststop hooks. */
export function planDestroy(builder: PlanBuilder): void {
  builder.destroy.push(...builder.cgroup.destroy)
  builder.destroy.push({ kind: 'undoJournal', pointer: '', what: 'remove what the container left' })
  planHooks(builder, builder.destroy, 'poststop')
}
