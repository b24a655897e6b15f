// Calls that may fail without harm: what they are for is done another way, or not needed. The effect of the verb is compared
// each time; this table says why it can be the same.
import type { Point } from './supervised'

interface Row {
  /** Names of calls; * for every call. */
  readonly calls: string
  readonly errors?: readonly string[]
  readonly verbs?: readonly string[]
  /** Of the processes; all of them. */
  readonly roles?: RegExp
  readonly why: string
}

const ROWS: readonly Row[] = [
  { calls: '*', errors: ['EINTR'], why: 'it is called again' },
  { calls: 'close', why: 'the descriptor is closed all the same: close(2)' },
  {
    calls: 'rt_sigaction rt_sigprocmask',
    why: 'they fail for signals and addresses that do not exist only; what is set is what was there',
  },
  {
    calls: 'rseq set_robust_list brk getrandom prlimit64 readlinkat readlink',
    why: 'the C library begins without it',
  },
  { calls: 'fcntl', roles: /^[123]$/, why: 'a standard stream that cannot be asked about is there' },
  { calls: 'wait4 waitid', errors: ['ECHILD'], why: 'whose child it is reaps it' },
  { calls: 'poll', errors: ['ENOMEM'], why: 'it is called again, as long as there is time' },
  {
    calls: 'flock',
    verbs: ['start'],
    why: 'a lock that is not given up ends with the descriptor, which is closed next',
  },
  { calls: 'clock_nanosleep', why: 'the next look comes sooner' },
  { calls: 'munmap', why: 'the memory ends with the process' },
  { calls: 'setpgid', why: 'the process and its parent both call it: whoever comes first' },
  { calls: 'rmdir', errors: ['EBUSY'], why: 'a cgroup is busy as long as its processes end: it is tried again' },
  { calls: '*', roles: /^1$/, verbs: ['create', 'run'], why: 'what cannot ask the planner becomes node' },
  { calls: 'execve', roles: /^1$/, why: 'node is looked for in several places' },
  { calls: '*', roles: /^1$/, verbs: ['delete'], why: 'each step of cleaning up is tried a second time' },
  { calls: '*', roles: /^2$/, verbs: ['run'], why: 'the end of run is a delete' },
]

/** Why a call may fail with this error, or undefined. */
export const harmless = (verb: string, { role, call }: Point, error: string): string | undefined =>
  ROWS.find(
    ({ calls, errors, roles, verbs }) =>
      (calls === '*' || calls.split(' ').includes(call)) &&
      (errors?.includes(error) ?? true) &&
      (roles?.test(role) ?? true) &&
      (verbs?.includes(verb) ?? true),
  )?.why
