/** A ratio of medians that tsrunc is built to keep. */
export interface Goal {
  readonly measure: string
  readonly reference: string
  /** tsrunc's median divided by the reference's may be this at most. */
  readonly most: number
}

/** Without a warm planner: node starts for every create and run, for no other verb. `run, primed` has the same goal as
 *  `run`, although it is measured against tsrunc: what the floor has warmed is cold again when node has started. */
export const GOALS: readonly Goal[] = [
  { measure: 'run', reference: 'runc', most: 1.5 },
  { measure: 'run, primed', reference: 'runc', most: 1.5 },
  { measure: 'run, quiet', reference: 'runc', most: 1.5 },
  { measure: 'start', reference: 'crun', most: 1 },
  { measure: 'state', reference: 'crun', most: 1 },
  { measure: 'kill', reference: 'crun', most: 1 },
  { measure: 'delete', reference: 'crun', most: 1 },
  { measure: 'state, steady', reference: 'crun', most: 1 },
  { measure: 'kill, steady', reference: 'crun', most: 1 },
]
