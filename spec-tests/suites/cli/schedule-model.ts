/**
 * The states of runtime.md "Lifecycle" as a machine that is asked what may be: verbs that meet each other are right when
 * some order of them explains what each of them said.
 */

/** `dying`: killed, and not seen to have ended: what is asked may find it alive or stopped. */
export type Status = 'gone' | 'created' | 'running' | 'paused' | 'dying' | 'stopped'

export const VERBS = [
  'create',
  'start',
  'kill',
  'delete',
  'delete --force',
  'pause',
  'resume',
  'exec',
  'update',
  'ps',
] as const
export type Verb = (typeof VERBS)[number]

export interface Answer {
  readonly verb: Verb
  readonly succeeded: boolean
}

/** What may come after a success and after a failure; no entry: that cannot be the answer. */
interface Steps {
  readonly success: readonly Status[]
  readonly failure: readonly Status[]
}

const NO: Steps = { success: [], failure: [] }
const only = (success: Status): Steps => ({ ...NO, success: [success] })
const refused = (status: Status): Steps => ({ ...NO, failure: [status] })
const either = (success: Status, failure: Status): Steps => ({ success: [success], failure: [failure] })

/** runtime.md "Operations", and what runc does where it says nothing: pause, resume, exec, update, ps, delete of `created`. */
function steps(verb: Verb, status: Status): Steps {
  switch (verb) {
    case 'create':
      return status === 'gone' ? only('created') : refused(status)
    case 'start':
      if (status === 'created') return only('running')
      // "Lifecycle" 7 to 9: a start that fails in the middle goes on with the container's destruction.
      return status === 'dying' ? { success: ['dying'], failure: ['dying', 'gone'] } : refused(status)
    case 'kill':
      if (status === 'dying') return either('dying', 'dying')
      return status === 'gone' || status === 'stopped' ? refused(status) : only('dying')
    case 'delete':
      if (status === 'created' || status === 'dying') return either('gone', status)
      return status === 'stopped' ? only('gone') : refused(status)
    case 'delete --force':
      return only('gone')
    case 'pause':
      // A container that was paused before its start is like one after it, but that it can be started later.
      if (status === 'running' || status === 'created') return only('paused')
      return status === 'dying' ? either('dying', 'dying') : refused(status)
    case 'resume':
      if (status === 'paused') return { success: ['running', 'created'], failure: [] }
      return status === 'dying' ? either('dying', 'dying') : refused(status)
    case 'exec':
      if (status === 'running') return only('running')
      // There is a process to join, though not the container's own program yet.
      if (status === 'created' || status === 'dying') return either(status, status)
      return refused(status)
    case 'update':
    case 'ps':
      // Of a container that has ended nothing is limited, and no process is shown.
      if (status === 'gone') return refused(status)
      return status === 'stopped' || status === 'dying' || status === 'paused' ? either(status, status) : only(status)
  }
}

/** A container that was killed ends by itself, at any moment. */
function withEnd(statuses: ReadonlySet<Status>): ReadonlySet<Status> {
  return statuses.has('dying') ? new Set([...statuses, 'stopped']) : statuses
}

function after(statuses: ReadonlySet<Status>, { verb, succeeded }: Answer): ReadonlySet<Status> {
  const next = [...withEnd(statuses)].flatMap((status) => {
    const { success, failure } = steps(verb, status)
    return succeeded ? success : failure
  })
  return withEnd(new Set(next))
}

/** Where the container may be after answers that were given at the same time: of all their orders. Empty: no order explains them. */
export function explain(statuses: ReadonlySet<Status>, answers: readonly Answer[]): ReadonlySet<Status> {
  if (statuses.size === 0 || answers.length === 0) return statuses
  const out = new Set<Status>()
  answers.forEach((answer, index) => {
    const rest = answers.filter((_, at) => at !== index)
    for (const status of explain(after(statuses, answer), rest)) out.add(status)
  })
  return out
}

/** What remains of the statuses once `state` has said one, or (undefined) that there is no container. */
export function seen(statuses: ReadonlySet<Status>, said: string | undefined): ReadonlySet<Status> {
  const fits = (status: Status): boolean => {
    if (said === undefined) return status === 'gone'
    return status === said || (status === 'dying' && said !== 'creating')
  }
  const left = [...withEnd(statuses)].filter(fits)
  return new Set(said === 'stopped' && left.includes('stopped') ? ['stopped'] : left)
}
