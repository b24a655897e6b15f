import { besideNeighbours } from './neighbours'
import { COLD, KEPT, WARM } from './runtimes'

/** A ratio of medians that tsrunc is built to keep. */
export interface Goal {
  readonly measure: string
  readonly who: string
  /** Whom it is compared with; `measure` of it, or `beside` where that is another one. */
  readonly reference: string
  readonly beside?: string
  /** The median of `who` divided by the reference's may be this at most. */
  readonly most: number
}

const goal = (measure: string, reference: string, most: number, who = WARM): Goal => ({ measure, who, reference, most })

export const GOALS: readonly Goal[] = [
  goal('run', 'floor', 1.5),
  goal('run', 'crun', 0.6),
  goal('run', 'runc', 0.25),
  goal('run with seccomp', 'crun', 0.5),
  goal('run with seccomp', 'runc', 0.12),
  goal('run', 'runc', 1.5, KEPT),
  goal('run', 'runc', 1.5, COLD),
  goal('the five together', 'crun', 0.6),
  goal('exec', 'crun', 0.6),
  ...['start', 'state', 'kill', 'delete'].map((verb) => goal(verb, 'crun', 0.6)),
  { ...goal(besideNeighbours(1000), WARM, 1.1), beside: besideNeighbours(0) },
]

/** What of it was measured: goal and ratio, as cells of a table. `medianOf`: in whatever unit; undefined: not measured. */
export function goalRows(
  medianOf: (measure: string, who: string) => number | undefined,
): readonly (readonly string[])[] {
  return GOALS.flatMap(({ measure, who, reference, beside, most }) => {
    const [own, other] = [medianOf(measure, who), medianOf(beside ?? measure, reference)]
    if (own === undefined || other === undefined) return []
    const ratio = own / other
    const unit = beside ?? reference
    const met = ratio <= most ? 'met' : '**missed**'
    return [[`${who}: ${measure}`, `≤ ${most} × ${unit}`, `${ratio.toFixed(2)} × ${unit}`, met]]
  })
}

export const GOALS_HEAD = ['what', 'goal', 'measured', ''] as const
