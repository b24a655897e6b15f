// features-linux.md#seccomp: every action, operator, architecture and flag that is listed, in force.
import {
  type AnswersTo,
  bundle,
  type Command,
  deepEqual,
  equal,
  type Report,
  requires,
  type Seccomp,
  type SeccompRule,
  test,
} from '../../lib'
import { allProven, features, NO_FEATURES, type ProvenElsewhere } from './document'

const SIGSYS = 31

const under = async <const T extends readonly Command[]>(seccomp: Seccomp, ...commands: T): Promise<AnswersTo<T>> => {
  const b = await bundle((c) => {
    c.linux.seccomp = seccomp
    c.process.capabilities = {
      bounding: ['CAP_SYS_PTRACE', 'CAP_SYS_ADMIN'],
      effective: ['CAP_SYS_PTRACE', 'CAP_SYS_ADMIN'],
      permitted: ['CAP_SYS_PTRACE', 'CAP_SYS_ADMIN'],
    }
  })
  return await b.probe(...commands)
}

const alarm = (action: string, more: Partial<SeccompRule> = {}): Seccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['alarm'], action, ...more }],
})

/** What becomes of the call that the action is for. */
const ACTIONS: Readonly<Record<string, (action: string) => Promise<void>>> = {
  SCMP_ACT_ALLOW: async (action) => {
    const seccomp: Seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        { names: ['umask'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 8, op: 'SCMP_CMP_LT' }] },
        { names: ['alarm'], action },
      ],
    }
    const [blocked, allowed] = await under(seccomp, ['syscall', 'umask', '7'], ['syscall', 'alarm'])
    deepEqual([blocked.error, allowed.error], ['EPERM', ''])
  },
  SCMP_ACT_ERRNO: async (action) => {
    const [call] = await under(alarm(action, { errnoRet: 71 }), ['syscall', 'alarm'])
    deepEqual([call.error, call.returned], ['EPROTO', true])
  },
  SCMP_ACT_KILL: async (action) => {
    const [call] = await under(alarm(action), ['syscall-threaded', 'alarm'])
    deepEqual([call.returned, call.processSurvived], [false, true])
  },
  SCMP_ACT_KILL_PROCESS: async (action) => {
    const [call] = await under(alarm(action), ['syscall-threaded', 'alarm'])
    deepEqual([call.returned, call.processSurvived, call.signal], [false, false, SIGSYS])
  },
  SCMP_ACT_KILL_THREAD: async (action) => {
    const [call] = await under(alarm(action), ['syscall-threaded', 'alarm'])
    deepEqual([call.returned, call.processSurvived], [false, true])
  },
  SCMP_ACT_LOG: async (action) => {
    const [call, report] = await under(alarm(action), ['syscall', 'alarm'], ['report'])
    deepEqual([call.error, report.seccomp], ['', 2])
  },
  SCMP_ACT_TRACE: async (action) => {
    const [call] = await under(alarm(action, { errnoRet: 55 }), ['syscall-traced', 'alarm'])
    deepEqual([call.traced, call.traceMessage], [true, 55])
  },
  SCMP_ACT_TRAP: async (action) => {
    const [call] = await under(alarm(action), ['syscall-trapped', 'alarm'])
    deepEqual([call.returned, call.signal, call.sigsysCall > 0], [true, 0, true])
  },
}

const NOTIFY = 'config-linux/seccomp-notify.test.ts'

const ACTIONS_ELSEWHERE: Readonly<Record<string, ProvenElsewhere>> = {
  SCMP_ACT_NOTIFY: { file: NOTIFY, title: 'SCMP_ACT_NOTIFY asks the listener, which may answer or let the call go on' },
}

test('features-linux.md#seccomp [FEA-2b]: every action that is listed', {
  peers: NO_FEATURES,
  timeout: 120_000,
}, async () => {
  const { actions } = (await features()).linux.seccomp
  allProven(actions, Object.keys(ACTIONS), ACTIONS_ELSEWHERE)
  for (const action of actions) {
    await ACTIONS[action]?.(action)
  }
})

const VALUE = 100

/** Values of an argument that the operator holds for, and others. */
const OPERATORS: Readonly<Record<string, readonly [matching: readonly number[], others: readonly number[]]>> = {
  SCMP_CMP_EQ: [[100], [99, 101]],
  SCMP_CMP_GE: [[100, 101], [99]],
  SCMP_CMP_GT: [[101], [99, 100]],
  SCMP_CMP_LE: [[99, 100], [101]],
  SCMP_CMP_LT: [[99], [100, 101]],
  // value is the mask, 0b1100100, and valueTwo what is left under it.
  SCMP_CMP_MASKED_EQ: [[0b0100, 0b0111], [0b100, 0b1000000].map((bit) => bit ^ 0b1100100)],
  SCMP_CMP_NE: [[99, 101], [100]],
}

test('features-linux.md#seccomp [FEA-2b]: every operator that is listed', {
  peers: NO_FEATURES,
  timeout: 120_000,
}, async () => {
  const { operators } = (await features()).linux.seccomp
  allProven(operators, Object.keys(OPERATORS))
  for (const op of operators) {
    const [matching = [], others = []] = OPERATORS[op] ?? []
    const rule = { errnoRet: 71, args: [{ index: 0, value: VALUE, valueTwo: 0b0100, op }] }
    const profile: Seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['umask'], action: 'SCMP_ACT_ERRNO', ...rule }],
    }
    const calls = await under(
      profile,
      ...[...matching, ...others].map((value) => ['syscall', 'umask', `${value}`] as const),
    )
    const errors = calls.map(({ error }) => error)
    deepEqual(errors, [...matching.map(() => 'EPROTO'), ...others.map(() => '')], op)
  }
})

/** What /proc/self/status says of speculation where a filter has not switched it off. */
const speculates = ({ speculation }: Report): boolean => !/force|mitigated/.test(speculation)

/** What is seen of a flag, if anything. */
const FLAGS: Readonly<Record<string, (report: Report) => void>> = {
  SECCOMP_FILTER_FLAG_LOG: () => undefined,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: (report) => equal(speculates(report), true, report.speculation),
  SECCOMP_FILTER_FLAG_TSYNC: () => undefined,
}

const FLAGS_ELSEWHERE: Readonly<Record<string, ProvenElsewhere>> = {
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: { file: NOTIFY, title: 'SCMP_ACT_NOTIFY with flag' },
}

test('features-linux.md#seccomp [FEA-2b]: every flag that is listed as supported is taken', {
  peers: NO_FEATURES,
}, async () => {
  const { knownFlags = [], supportedFlags = [] } = (await features()).linux.seccomp
  allProven(knownFlags, Object.keys(FLAGS), FLAGS_ELSEWHERE)
  deepEqual(
    supportedFlags.filter((flag) => !knownFlags.includes(flag)),
    [],
  )
  for (const flag of supportedFlags.filter((flag) => FLAGS[flag] !== undefined)) {
    const [call, report] = await under({ ...alarm('SCMP_ACT_ERRNO'), flags: [flag] }, ['syscall', 'alarm'], ['report'])
    deepEqual([call.error, report.seccomp], ['EPERM', 2], flag)
    FLAGS[flag]?.(report)
  }
})

test('features-linux.md#seccomp [FEA-2b]: a 32-bit call is filtered where both architectures are listed', {
  peers: NO_FEATURES,
}, async () => {
  requires('x86_64', 'system calls of i386')
  const { archs } = (await features()).linux.seccomp
  const listed = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'].filter((name) => archs.includes(name))
  deepEqual(listed, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'])
  const profile: Seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['getpid'], action: 'SCMP_ACT_ERRNO', errnoRet: 71 }],
    architectures: listed,
  }
  const [call] = await under(profile, ['syscall-ia32', '20'])
  equal(call.error, 'EPROTO')
})
