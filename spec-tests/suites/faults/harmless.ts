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
  /** What the call was given, as tools/faultat.cc writes it. */
  readonly given?: RegExp
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
    given: / 8 /,
    why: 'a lock that is not given up ends with the descriptor, which is closed next',
  },
  { calls: 'clock_gettime', errors: ['EIO'], why: 'it fails for clocks that do not exist only' },
  { calls: 'clock_nanosleep', why: 'the next look comes sooner' },
  {
    calls: 'openat read',
    given: /"\/proc\/self\/status"|\/status>/,
    why: 'which dispositions are the default is only for setting fewer of them',
  },
  { calls: 'munmap', why: 'the memory ends with the process' },
  { calls: 'setpgid', why: 'the process and its parent both call it: whoever comes first' },
  {
    calls: 'openat',
    verbs: ['kill'],
    given: /freezer\.state/,
    why: 'a thaw that fails is told where the container is frozen, which it is not',
  },
  {
    calls: 'openat',
    verbs: ['start'],
    given: /"exec\.fifo"/,
    why: 'the wait for the end of what init had open is over sooner',
  },
  {
    calls: 'openat openat2',
    given: /"\/etc\/passwd"/,
    why: 'HOME is / where the image has nothing to say about the user',
  },
  {
    calls: 'read',
    verbs: ['create', 'run'],
    given: /freezer\.state/,
    why: 'a cgroup that cannot be asked is not taken for a frozen one, and init that stands still in one is told after ten seconds',
  },
  { calls: 'read', given: /<pipe:.* 1024 /, why: 'what a hook that succeeds has written is told nobody' },
  { calls: 'read', given: /signalfd/, why: 'signals that were not taken are there at the next turn' },
  {
    calls: 'newfstatat',
    verbs: ['create', 'run'],
    given: /\/state> .* 4096$| "\/" /,
    why: 'a root for the state that cannot be looked at is not taken for /',
  },
  { calls: 'rmdir', errors: ['EBUSY'], why: 'a cgroup is busy as long as its processes end: it is tried again' },
  { calls: '*', roles: /^1$/, verbs: ['create', 'run', 'exec'], why: 'what cannot ask the planner becomes node' },
  {
    calls: '*',
    roles: /^1$/,
    verbs: ['update'],
    given: /^(?!.*\/sys\/fs\/cgroup\/)/,
    why: 'what cannot ask the planner becomes node; nothing is done but in cgroups',
  },
  {
    calls: 'openat read newfstatat fstatfs',
    roles: /^1$/,
    verbs: ['update'],
    given: /^(?!.*" 524290 )/,
    why: 'limits in force that cannot be read are read by node; what is written to is opened O_RDWR',
  },
  { calls: 'execve', roles: /^1$/, why: 'node is looked for in several places' },
  { calls: '*', roles: /^1$/, verbs: ['delete'], why: 'each step of cleaning up is tried a second time' },
  { calls: '*', roles: /^2$/, verbs: ['run'], why: 'the end of run is a delete' },
]

/** Why a call of what was `given` may fail with this error, or undefined. */
export const harmless = (verb: string, { role, call }: Point, error: string, given: string): string | undefined =>
  ROWS.find(
    ({ calls, errors, roles, verbs, given: wanted }) =>
      (calls === '*' || calls.split(' ').includes(call)) &&
      (errors?.includes(error) ?? true) &&
      (roles?.test(role) ?? true) &&
      (wanted?.test(given) ?? true) &&
      (verbs?.includes(verb) ?? true),
  )?.why
