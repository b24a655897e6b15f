import type { Rule } from '../fault'

const SECTION = 'config.md "Linux Process"'

/** sched(7): the nice value is that of the time-sharing policies. */
const niceIsInRange: Rule = {
  id: 'scheduler-nice',
  section: SECTION,
  severity: 'error',
  check({ process }, report) {
    const { policy, nice = 0 } = process?.scheduler ?? { policy: '' }
    if ((policy === 'SCHED_OTHER' || policy === 'SCHED_BATCH') && (nice < -20 || nice > 19)) {
      report('/process/scheduler/nice', `must be from -20 to 19, not ${nice}`)
    }
  },
}

/** sched_setattr(2): for every other policy the kernel ignores it. */
const niceHasEffect: Rule = {
  id: 'scheduler-nice-unused',
  section: SECTION,
  severity: 'warning',
  check({ process }, report) {
    const { policy, nice = 0 } = process?.scheduler ?? { policy: '' }
    if (nice !== 0 && policy !== 'SCHED_OTHER' && policy !== 'SCHED_BATCH') {
      report('/process/scheduler/nice', `has no effect with ${policy}`)
    }
  },
}

/** sched(7): real-time policies have a priority from 1 to 99, the others none. */
const priorityFitsPolicy: Rule = {
  id: 'scheduler-priority',
  section: SECTION,
  severity: 'error',
  check({ process }, report) {
    const { policy, priority = 0 } = process?.scheduler ?? { policy: '' }
    const realTime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR'
    if (realTime && (priority < 1 || priority > 99)) {
      report('/process/scheduler/priority', `must be from 1 to 99 for ${policy}, not ${priority}`)
    } else if (!realTime && priority !== 0) {
      report('/process/scheduler/priority', `is ${priority}, but only SCHED_FIFO and SCHED_RR have one, not ${policy}`)
    }
  },
}

/** sched(7) "SCHED_DEADLINE". */
const timesNeedDeadline: Rule = {
  id: 'scheduler-deadline',
  section: SECTION,
  severity: 'error',
  check({ process }, report) {
    const scheduler = process?.scheduler
    if (scheduler === undefined || scheduler.policy === 'SCHED_DEADLINE') return
    for (const name of ['runtime', 'deadline', 'period'] as const) {
      const value = scheduler[name] ?? 0
      if (value > 0) {
        report(`/process/scheduler/${name}`, `is ${value}, but only SCHED_DEADLINE has one, not ${scheduler.policy}`)
      }
    }
  },
}

/** sched(7) "SCHED_DEADLINE": 1024 <= runtime <= deadline <= period, which is the deadline where it is 0; below 2^63. */
const timesAreOrdered: Rule = {
  id: 'scheduler-deadline-order',
  section: SECTION,
  severity: 'error',
  check({ process }, report) {
    const { policy, runtime = 0, deadline = 0, period = 0 } = process?.scheduler ?? { policy: '' }
    if (policy !== 'SCHED_DEADLINE') return
    const pointer = '/process/scheduler'
    if (runtime < 1024) report(`${pointer}/runtime`, `must be at least 1024 (nanoseconds), not ${runtime}`)
    if (deadline < runtime) report(`${pointer}/deadline`, `is ${deadline}, but must not be below runtime (${runtime})`)
    if (period !== 0 && period < deadline) {
      report(`${pointer}/period`, `is ${period}, but must not be below deadline (${deadline})`)
    }
    for (const [name, value] of Object.entries({ deadline, period })) {
      if (value >= 2n ** 63n) report(`${pointer}/${name}`, `must be below 2^63, not ${value}`)
    }
  },
}

/** sched(7): a process of SCHED_DEADLINE cannot make another one (EAGAIN), unless that one loses the policy. */
const hooksNeedForks: Rule = {
  id: 'scheduler-deadline-hooks',
  restsOn: ['/process/scheduler/flags'],
  section: SECTION,
  severity: 'error',
  check({ process, hooks }, report) {
    const { policy, flags = [] } = process?.scheduler ?? { policy: '' }
    const hooked = (hooks?.startContainer?.length ?? 0) > 0
    if (policy === 'SCHED_DEADLINE' && hooked && !flags.includes('SCHED_FLAG_RESET_ON_FORK')) {
      const reason = 'startContainer hooks are children of the process, and SCHED_DEADLINE lets it have none'
      report('/process/scheduler/flags', `must have SCHED_FLAG_RESET_ON_FORK: ${reason}`)
    }
  },
}

export const SCHEDULER_RULES: readonly Rule[] = [
  niceIsInRange,
  niceHasEffect,
  priorityFitsPolicy,
  timesNeedDeadline,
  timesAreOrdered,
  hooksNeedForks,
]
