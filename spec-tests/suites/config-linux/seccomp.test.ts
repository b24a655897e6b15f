import {
  type AnswersTo,
  bad,
  bundle,
  type Command,
  deepEqual,
  digits,
  equal,
  outerFilters,
  requires,
  type Seccomp,
  type SeccompRule,
  type TestOptions,
  test,
} from '../../lib'

const SIGSYS = 31

/** A profile that allows everything but what the rules say. */
const allowBut = (...syscalls: SeccompRule[]): Seccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls })

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

const refuses = async (seccomp: Seccomp, story: RegExp): Promise<void> => {
  const b = await bundle((c) => {
    c.linux.seccomp = seccomp
  })
  await b.refused(story)
}

const alarm = (action: string, more: Partial<SeccompRule> = {}): SeccompRule => ({ names: ['alarm'], action, ...more })

test('config-linux.md#seccomp [SEC-1a]: a filter is installed', async () => {
  const [report] = await under(allowBut(), ['report'])
  equal(report.seccomp, 2)
})

test('config-linux.md#seccomp [SEC-1a]: without the property there is no filter', async () => {
  const b = await bundle()
  equal((await b.report()).seccomp, outerFilters() === 0 ? 0 : 2)
})

test('config-linux.md#seccomp [SEC-1b SEC-2a]: SCMP_ACT_ERRNO returns EPERM by default', async () => {
  const [call, other] = await under(allowBut(alarm('SCMP_ACT_ERRNO')), ['syscall', 'alarm'], ['syscall', 'getsid', '0'])
  deepEqual([call.error, call.returned, other.error], ['EPERM', true, ''])
})

for (const [value, name] of [
  [38, 'ENOSYS'],
  [13, 'EACCES'],
  [71, 'EPROTO'],
] as const) {
  test(`config-linux.md#seccomp [SEC-2a]: errnoRet ${value} is what the call returns`, async () => {
    const [call] = await under(allowBut(alarm('SCMP_ACT_ERRNO', { errnoRet: value })), ['syscall', 'alarm'])
    equal(call.error, name)
  })
}

test('config-linux.md#seccomp [SEC-2a]: errnoRet 0 makes the call succeed without effect', async () => {
  const [call] = await under(allowBut({ names: ['sethostname'], action: 'SCMP_ACT_ERRNO', errnoRet: 0 }), [
    'syscall',
    'sethostname',
    's:changed',
    '7',
  ])
  deepEqual([call.result, call.error], [0, ''])
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_KILL ends the thread that calls', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_KILL')), ['syscall-threaded', 'alarm'])
  deepEqual([call.returned, call.processSurvived], [false, true])
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_KILL of a process with one thread is SIGSYS', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_KILL')), ['syscall', 'alarm'])
  deepEqual([call.returned, call.signal], [false, SIGSYS])
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_KILL_THREAD ends the thread that calls', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_KILL_THREAD')), ['syscall-threaded', 'alarm'])
  deepEqual([call.returned, call.processSurvived], [false, true])
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_KILL_PROCESS ends the whole process', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_KILL_PROCESS')), ['syscall-threaded', 'alarm'])
  deepEqual([call.returned, call.processSurvived, call.signal], [false, false, SIGSYS])
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_TRAP sends a SIGSYS that can be handled', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_TRAP')), ['syscall-trapped', 'alarm'])
  deepEqual([call.returned, call.sigsysCall, call.signal], [true, 37, 0])
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_TRACE without a tracer is ENOSYS', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_TRACE')), ['syscall', 'alarm'])
  equal(call.error, 'ENOSYS')
})

test('config-linux.md#seccomp [SEC-1b SEC-2a]: SCMP_ACT_TRACE tells the tracer errnoRet', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_TRACE', { errnoRet: 55 })), ['syscall-traced', 'alarm'])
  deepEqual([call.traced, call.traceMessage], [true, 55])
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_LOG lets the call through', async () => {
  const [call] = await under(allowBut(alarm('SCMP_ACT_LOG')), ['syscall', 'alarm'])
  equal(call.error, '')
})

test('config-linux.md#seccomp [SEC-1b]: SCMP_ACT_ALLOW is an exception to the default', async () => {
  // What the probe itself needs is everything except personality.
  const [blocked, allowed] = await under(
    allowBut({
      names: ['personality'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 22,
      args: [{ index: 0, value: 5, op: 'SCMP_CMP_EQ' }],
    }),
    ['syscall', 'personality', '5'],
    ['syscall', 'personality', '0xffffffff'],
  )
  deepEqual([blocked.error, allowed.error], ['EINVAL', ''])
})

/** Everything that a static program, the probe and the runtimes' last steps before execve need. */
const ALLOWED = [
  ...['read', 'write', 'close', 'fstat', 'mmap', 'mprotect', 'munmap', 'brk', 'rt_sigaction', 'rt_sigprocmask'],
  ...['rt_sigreturn', 'execve', 'execveat', 'exit', 'exit_group', 'wait4', 'clone', 'fork', 'vfork', 'clone3', 'uname'],
  ...['fcntl', 'getcwd', 'chdir', 'fchdir', 'readlink', 'readlinkat', 'set_tid_address', 'set_robust_list', 'rseq'],
  ...['prlimit64', 'getrandom', 'arch_prctl', 'prctl', 'newfstatat', 'openat', 'open', 'lstat', 'stat', 'futex'],
  ...['getdents64', 'setgroups', 'setgid', 'setuid', 'setresuid', 'setresgid', 'capset', 'capget', 'seccomp', 'umask'],
  ...['getpid', 'gettid', 'tgkill', 'sigaltstack', 'epoll_ctl', 'epoll_pwait', 'epoll_create1', 'nanosleep', 'madvise'],
  ...[
    'sched_yield',
    'pipe2',
    'sendmsg',
    'recvmsg',
    'sendto',
    'recvfrom',
    'close_range',
    'dup',
    'dup2',
    'dup3',
    'lseek',
  ],
  ...[
    'getuid',
    'getgid',
    'geteuid',
    'getegid',
    'setsid',
    'ioctl',
    'writev',
    'faccessat',
    'faccessat2',
    'access',
    'poll',
  ],
  ...[
    'unlink',
    'unlinkat',
    'getppid',
    'alarm',
    'sched_getaffinity',
    'openat2',
    'fchown',
    'statfs',
    'fstatfs',
    'statx',
    'kill',
  ],
  ...['clock_gettime', 'timerfd_create', 'pidfd_send_signal', 'umount2', 'mount', 'eventfd2', 'epoll_wait', 'ppoll'],
]

test('config-linux.md#seccomp [SEC-1a]: defaultAction is used for system calls that syscalls does not name', async () => {
  const [call, other] = await under(
    { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ALLOWED, action: 'SCMP_ACT_ALLOW' }] },
    ['syscall', 'getsid', '0'],
    ['syscall', 'alarm'],
  )
  deepEqual([call.error, other.error], ['EPERM', ''])
})

test('config-linux.md#seccomp [SEC-2a]: defaultErrnoRet is what the default action returns', async () => {
  const [call] = await under(
    { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 71, syscalls: [{ names: ALLOWED, action: 'SCMP_ACT_ALLOW' }] },
    ['syscall', 'getsid', '0'],
  )
  equal(call.error, 'EPROTO')
})

// Operators, on the first argument of getsid, whose value is a pid: 1 exists, so 0 means that the call went through.

const VALUE = 100

const OPERATORS: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['SCMP_CMP_NE', [99, 101], [100]],
  ['SCMP_CMP_LT', [99], [100, 101]],
  ['SCMP_CMP_LE', [99, 100], [101]],
  ['SCMP_CMP_EQ', [100], [99, 101]],
  ['SCMP_CMP_GE', [100, 101], [99]],
  ['SCMP_CMP_GT', [101], [99, 100]],
]

for (const [op, matching, others] of OPERATORS) {
  test(`config-linux.md#seccomp [SEC-5a]: operator ${op}`, async () => {
    const profile = allowBut({
      names: ['umask'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 71,
      args: [{ index: 0, value: VALUE, op }],
    })
    const commands = [...matching, ...others].map((value) => ['syscall', 'umask', String(value)] as const)
    const calls = await under(profile, ...commands)
    deepEqual(
      calls.map((call) => call.error),
      [...matching.map(() => 'EPROTO'), ...others.map(() => '')],
    )
  })
}

test('config-linux.md#seccomp [SEC-5a]: operator SCMP_CMP_MASKED_EQ compares the bits of value with valueTwo', async () => {
  const profile = allowBut({
    names: ['umask'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: 71,
    args: [{ index: 0, value: 0b1100, valueTwo: 0b0100, op: 'SCMP_CMP_MASKED_EQ' }],
  })
  const calls = await under(
    profile,
    ['syscall', 'umask', String(0b0101)],
    ['syscall', 'umask', String(0b1101)],
    ['syscall', 'umask', String(0b0111)],
  )
  deepEqual(
    calls.map((call) => call.error),
    ['EPROTO', '', 'EPROTO'],
  )
})

test('config-linux.md#seccomp [SEC-5a]: a value of 64 bits keeps every digit', async () => {
  const profile = allowBut({
    names: ['getsid'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: 71,
    args: [{ index: 0, value: digits('18446744073709551615'), op: 'SCMP_CMP_EQ' }],
  })
  const calls = await under(profile, ['syscall', 'getsid', '-1'], ['syscall', 'getsid', '-2'])
  deepEqual([calls[0].error, calls[1].error], ['EPROTO', 'ESRCH'])
})

test('config-linux.md#seccomp [SEC-5a]: conditions on different arguments must all hold', async () => {
  const profile = allowBut({
    names: ['getpriority'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: 71,
    args: [
      { index: 0, value: 0, op: 'SCMP_CMP_EQ' },
      { index: 1, value: 1, op: 'SCMP_CMP_EQ' },
    ],
  })
  const calls = await under(profile, ['syscall', 'getpriority', '0', '1'], ['syscall', 'getpriority', '0', '0'])
  deepEqual([calls[0].error, calls[1].error], ['EPROTO', ''])
})

test('config-linux.md#seccomp [SEC-5a]: conditions on the same argument are alternatives, as runc has it', async () => {
  const profile = allowBut({
    names: ['umask'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: 71,
    args: [
      { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
      { index: 0, value: 2, op: 'SCMP_CMP_EQ' },
    ],
  })
  const calls = await under(profile, ['syscall', 'umask', '1'], ['syscall', 'umask', '2'], ['syscall', 'umask', '3'])
  deepEqual(
    calls.map((call) => call.error),
    ['EPROTO', 'EPROTO', ''],
  )
})

test('config-linux.md#seccomp [SEC-5a]: several names in one entry', async () => {
  const profile = allowBut({ names: ['alarm', 'getsid'], action: 'SCMP_ACT_ERRNO', errnoRet: 71 })
  const calls = await under(profile, ['syscall', 'alarm'], ['syscall', 'getsid', '0'])
  deepEqual([calls[0].error, calls[1].error], ['EPROTO', 'EPROTO'])
})

test('config-linux.md#seccomp [SEC-5b]: names of system calls that the runtime does not know are passed over', async () => {
  const profile = allowBut({
    names: ['no_such_call', 'alarm', 'a_call_of_tomorrow'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: 71,
  })
  const [call] = await under(profile, ['syscall', 'alarm'])
  equal(call.error, 'EPROTO')
})

// Architectures.

test('config-linux.md#seccomp [SEC-3a]: architectures: rules hold for the 32-bit calls of SCMP_ARCH_X86 too', async () => {
  requires('x86_64', 'system calls of i386')
  const profile: Seccomp = {
    ...allowBut({ names: ['getpid'], action: 'SCMP_ACT_ERRNO', errnoRet: 71 }),
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  }
  const [call] = await under(profile, ['syscall-ia32', '20'])
  equal(call.error, 'EPROTO')
})

test('config-linux.md#seccomp [SEC-3a]: architectures: what is not listed is killed', async () => {
  requires('x86_64', 'system calls of i386')
  const profile: Seccomp = { ...allowBut(alarm('SCMP_ACT_ERRNO')), architectures: ['SCMP_ARCH_X86_64'] }
  const [call] = await under(profile, ['syscall-ia32', '20'])
  deepEqual([call.returned, call.signal], [false, SIGSYS])
})

test('config-linux.md#seccomp [SEC-3b]: an unknown architecture is an error', async () => {
  await refuses({ ...allowBut(), architectures: ['SCMP_ARCH_ABACUS'] }, /SCMP_ARCH_ABACUS/)
})

// Flags.

for (const flag of ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW']) {
  const peers: TestOptions = { peers: { runc: '1.1 refuses all flags' } }
  test(`config-linux.md#seccomp [SEC-4a]: flag ${flag}`, peers, async () => {
    const [call] = await under({ ...allowBut(alarm('SCMP_ACT_ERRNO')), flags: [flag] }, ['syscall', 'alarm'])
    equal(call.error, 'EPERM')
  })
}

test('config-linux.md#seccomp [SEC-4b]: an unknown flag is an error', { peers: { crun: 'ignores it' } }, async () => {
  await refuses(
    { ...allowBut(alarm('SCMP_ACT_ERRNO')), flags: ['SECCOMP_FILTER_FLAG_NONSENSE'] },
    /SECCOMP_FILTER_FLAG_NONSENSE/,
  )
})

// What is refused.

test('config-linux.md#seccomp [SEC-1c]: defaultAction is REQUIRED', {
  peers: { runc: 'ignores the profile' },
}, async () => {
  await refuses(bad({ syscalls: [] }), /defaultAction/)
})

test('config-linux.md#seccomp [SEC-1c]: an unknown action is an error', async () => {
  await refuses(allowBut(alarm('SCMP_ACT_SHRUG')), /SCMP_ACT_SHRUG/)
})

test('config-linux.md#seccomp [SEC-1c]: an unknown default action is an error', async () => {
  await refuses({ defaultAction: 'SCMP_ACT_SHRUG' }, /SCMP_ACT_SHRUG/)
})

test('config-linux.md#seccomp [SEC-5c]: an unknown operator is an error', async () => {
  await refuses(
    allowBut(alarm('SCMP_ACT_ERRNO', { args: [{ index: 0, value: 1, op: 'SCMP_CMP_ALMOST' }] })),
    /SCMP_CMP_ALMOST/,
  )
})

test('config-linux.md#seccomp [SEC-5c]: an argument index above 5 is an error', async () => {
  await refuses(allowBut(alarm('SCMP_ACT_ERRNO', { args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] })), /index|args/)
})

test('config-linux.md#seccomp [SEC-5c]: names MUST contain at least one entry', {
  peers: { runc: 'takes it', crun: 'takes it' },
}, async () => {
  await refuses(allowBut({ names: [], action: 'SCMP_ACT_ERRNO' }), /names/)
})

test('config-linux.md#seccomp [SEC-2b]: errnoRet with an action that takes no errno MUST fail', {
  peers: { runc: 'since 1.2' },
}, async () => {
  await refuses(allowBut(alarm('SCMP_ACT_ALLOW', { errnoRet: 1 })), /errnoRet/)
})

test('config-linux.md#seccomp [SEC-2b]: defaultErrnoRet with an action that takes no errno MUST fail', {
  peers: { runc: 'since 1.2' },
}, async () => {
  await refuses({ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 }, /defaultErrnoRet|errno/i)
})

// Order.

test('config-linux.md#seccomp [SEC-1a]: with noNewPrivileges false the filter is loaded too', async () => {
  const b = await bundle((c) => {
    c.process.noNewPrivileges = false
    c.linux.seccomp = allowBut(alarm('SCMP_ACT_ERRNO'))
  })
  const [call, report] = await b.probe(['syscall', 'alarm'], ['report'])
  deepEqual([call.error, report.noNewPrivileges, report.seccomp], ['EPERM', false, 2])
})

test('config-linux.md#seccomp [SEC-1a]: for an unprivileged user, with and without noNewPrivileges', async () => {
  for (const noNewPrivileges of [true, false]) {
    const b = await bundle((c) => {
      c.process.noNewPrivileges = noNewPrivileges
      c.process.user = { uid: 1000, gid: 1000 }
      c.linux.seccomp = allowBut(alarm('SCMP_ACT_ERRNO'))
    })
    const [call, report] = await b.probe(['syscall', 'alarm'], ['report'])
    deepEqual([call.error, report.noNewPrivileges, report.uids[0]], ['EPERM', noNewPrivileges, 1000])
  }
})

test('config-linux.md#seccomp [SEC-1a]: exactly one filter is installed', async () => {
  const [report] = await under(allowBut(alarm('SCMP_ACT_ERRNO')), ['report'])
  equal(report.seccompFilters, String(outerFilters() + 1))
})

test('config-linux.md#seccomp [SEC-10]: a profile that forbids what runtimes do after loading it does not harm the start', async () => {
  const profile = allowBut({
    names: [
      'mount',
      'umount2',
      'pivot_root',
      'setns',
      'unshare',
      'chroot',
      'mknod',
      'mknodat',
      'sethostname',
      'socket',
    ],
    action: 'SCMP_ACT_ERRNO',
  })
  const [call] = await under(profile, ['syscall', 'unshare', '0'])
  equal(call.error, 'EPERM')
})

test('config-linux.md#seccomp [SEC-9]: clone3 that the profile does not know is ENOSYS, so that a C library falls back', {
  peers: { crun: 'EPERM' },
}, async () => {
  const profile: Seccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [
      {
        names: ALLOWED.filter((name) => !['clone3', 'faccessat2', 'openat2', 'close_range'].includes(name)),
        action: 'SCMP_ACT_ALLOW',
      },
    ],
  }
  // 460 is newer than any name in the list.
  const [call] = await under(profile, ['syscall', '460'])
  equal(call.error, 'ENOSYS')
})
