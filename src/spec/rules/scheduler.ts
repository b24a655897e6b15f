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

export const SCHEDULER_RULES: readonly Rule[] = [niceIsInRange, priorityFitsPolicy, timesNeedDeadline]
