// config-linux.md "Seccomp": architectures, and system calls that are newer than a profile, for each of them.
import {
  type AnswersTo,
  bundle,
  type Command,
  callRuntime,
  deepEqual,
  equal,
  expectStatus,
  match,
  requires,
  type Seccomp,
  type SeccompRule,
  test,
} from '../../lib'

const SIGSYS = 31
/** x32 has the numbers of x86-64 with this bit. */
const X32 = 0x40000000
// getsid and alarm, which the probe makes only when it is told to: on x86-64 and, by int 0x80, on i386.
const GETSID = 124
const ALARM_I386 = 27
/** Newer than all that libseccomp 2.5 knows; not there in any kernel. */
const TOMORROW = 600

const ALL = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']

const under = async <const T extends readonly Command[]>(seccomp: Seccomp, ...commands: T): Promise<AnswersTo<T>> => {
  const b = await bundle((c) => {
    c.linux.seccomp = seccomp
  })
  return await b.probe(...commands)
}

const errno = (names: string[], errnoRet = 71): SeccompRule => ({ names, action: 'SCMP_ACT_ERRNO', errnoRet })

const MUST = 'config-linux.md#seccomp [SEC-3a]'

test(`${MUST}: one entry holds for the calls of every architecture, by the number that each has`, async () => {
  requires('x86_64', 'system calls of i386')
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ALL, syscalls: [errno(['getsid', 'alarm'])] }
  const calls = await under(
    profile,
    ['syscall', String(GETSID), '0'],
    ['syscall', String(GETSID + X32), '0'],
    ['syscall-ia32', String(ALARM_I386)],
    // What these numbers are on the other architecture is allowed.
    ['syscall-ia32', String(GETSID)],
  )
  deepEqual(
    calls.map(({ error }) => error === 'EPROTO'),
    [true, true, true, false],
  )
})

test(`${MUST}: calls of x32 are killed where it is not listed`, async () => {
  requires('x86_64')
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64'], syscalls: [errno(['alarm'])] }
  const [call] = await under(profile, ['syscall', String(GETSID + X32), '0'])
  deepEqual([call.returned, call.signal], [false, SIGSYS])
})

test(`${MUST}: without architectures the filter is for that of the machine`, async () => {
  requires('x86_64', 'system calls of i386')
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [errno(['getsid'])] }
  const [native, other] = await under(profile, ['syscall', 'getsid', '0'], ['syscall-ia32', String(ALARM_I386)])
  deepEqual([native.error, other.returned], ['EPROTO', false])
})

test(`${MUST}: the architecture of the machine is in, listed or not`, async () => {
  requires('x86_64', 'system calls of i386')
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86'], syscalls: [errno(['getsid'])] }
  const [native, other] = await under(profile, ['syscall', 'getsid', '0'], ['syscall-ia32', '147'])
  deepEqual([native.error, other.error], ['EPROTO', 'EPROTO'])
})

/** Every name of the specification; those of the other byte order cannot be in one filter with x86-64. */
const LITTLE = [
  ...['AARCH64', 'ARM', 'LOONGARCH64', 'MIPSEL', 'MIPSEL64', 'MIPSEL64N32', 'PPC64LE', 'RISCV64', 'SH', 'X32', 'X86'],
  'X86_64',
]
const BIG = [...['M68K', 'MIPS', 'MIPS64', 'MIPS64N32', 'PARISC', 'PARISC64', 'PPC', 'PPC64', 'S390', 'S390X', 'SHEB']]

for (const name of [...LITTLE, ...BIG].map((word) => `SCMP_ARCH_${word}`)) {
  test(`config-linux.md#seccomp [SEC-3b]: ${name} is in force or an error that names it`, {
    timeout: 60_000,
  }, async () => {
    requires('x86_64')
    const b = await bundle((c) => {
      c.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86_64', name],
        syscalls: [errno(['getsid'])],
      }
    })
    b.command(['syscall', 'getsid', '0'])
    const outcome = await b.tryRun()
    if (outcome.status === 0) {
      match(outcome.stdout, /EPROTO/)
      equal(LITTLE.map((word) => `SCMP_ARCH_${word}`).includes(name), true)
    } else {
      match(outcome.stderr, /arch/i)
    }
  })
}

test('features-linux.md#seccomp [FEA-2b]: what features lists as archs is what a profile may hold', {
  only: ['tsrunc'],
}, async () => {
  requires('x86_64')
  const { linux } = JSON.parse(expectStatus(await callRuntime(['features'])).stdout) as {
    linux: { seccomp: { archs: string[] } }
  }
  for (const name of [...LITTLE, ...BIG].map((word) => `SCMP_ARCH_${word}`)) {
    const b = await bundle((c) => {
      c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64', name] }
    })
    const { status, stderr } = await callRuntime(['create', '--dry-run', '--bundle', b.path, b.id])
    if (!linux.seccomp.archs.includes(name)) {
      equal(status, 1, name)
      match(stderr, new RegExp(`${name}: this libseccomp does not know.*/linux/seccomp/architectures/1`))
    } else if (BIG.includes(name.slice('SCMP_ARCH_'.length))) {
      equal(status, 1, name)
      match(stderr, new RegExp(`${name}: its byte order.*/linux/seccomp/architectures/1`))
    } else {
      expectStatus({ command: [name], status, stdout: '', stderr })
    }
  }
})

// Newer than the profile (runc: libcontainer/seccomp/patchbpf).

/** Everything that libseccomp knows up to openat2 and that the probe needs; nothing newer than 437 on x86-64. */
const old = (defaultAction: string, more: Partial<Seccomp> = {}): Seccomp => ({
  defaultAction,
  architectures: ALL,
  syscalls: [{ names: [...NEEDED, 'openat2'], action: 'SCMP_ACT_ALLOW' }],
  ...more,
})

const NEEDED = [
  ...['read', 'write', 'close', 'fstat', 'mmap', 'mprotect', 'munmap', 'brk', 'rt_sigaction', 'rt_sigprocmask', 'dup3'],
  ...['rt_sigreturn', 'execve', 'execveat', 'exit', 'exit_group', 'wait4', 'clone', 'fork', 'vfork', 'uname', 'lseek'],
  ...['fcntl', 'getcwd', 'chdir', 'fchdir', 'readlink', 'readlinkat', 'set_tid_address', 'set_robust_list', 'rseq'],
  ...['prlimit64', 'getrandom', 'arch_prctl', 'prctl', 'newfstatat', 'openat', 'open', 'lstat', 'stat', 'futex', 'dup'],
  ...['getdents64', 'setgroups', 'setgid', 'setuid', 'setresuid', 'setresgid', 'capset', 'capget', 'seccomp', 'umask'],
  ...['getpid', 'gettid', 'tgkill', 'sigaltstack', 'epoll_ctl', 'epoll_pwait', 'epoll_create1', 'nanosleep', 'madvise'],
  ...['sched_yield', 'pipe2', 'sendmsg', 'recvmsg', 'sendto', 'recvfrom', 'getuid', 'getgid', 'geteuid', 'getegid'],
  ...['setsid', 'ioctl', 'writev', 'faccessat', 'access', 'poll', 'unlink', 'unlinkat', 'getppid', 'statfs', 'fstatfs'],
  ...['sched_getaffinity', 'fchown', 'statx', 'kill', 'clock_gettime', 'timerfd_create', 'pidfd_send_signal', 'ppoll'],
  ...['umount2', 'mount', 'eventfd2', 'epoll_wait', 'clone3', 'restart_syscall', 'rt_sigsuspend', 'rt_sigtimedwait'],
]

const peers = { peers: { crun: 'answers as the default action says' } }
const NEWER = 'config-linux.md#seccomp [SEC-9]'

test(`${NEWER}: a call that is newer than the profile is ENOSYS, an old one that it denies EPERM`, peers, async () => {
  requires('x86_64')
  const calls = await under(
    old('SCMP_ACT_ERRNO'),
    ['syscall', '438'],
    ['syscall', String(TOMORROW)],
    ['syscall', '436'],
    ['syscall', 'getsid', '0'],
  )
  deepEqual(
    calls.map(({ error }) => error),
    ['ENOSYS', 'ENOSYS', 'EPERM', 'EPERM'],
  )
})

test(`${NEWER}: so it is for each architecture, by its own numbers`, peers, async () => {
  requires('x86_64', 'system calls of i386')
  const calls = await under(
    old('SCMP_ACT_ERRNO'),
    ['syscall-ia32', String(TOMORROW)],
    ['syscall-ia32', String(ALARM_I386)],
    ['syscall', String(TOMORROW + X32)],
    ['syscall', String(GETSID + X32)],
  )
  deepEqual(
    calls.map(({ error }) => error),
    ['ENOSYS', 'EPERM', 'ENOSYS', 'EPERM'],
  )
})

for (const action of ['SCMP_ACT_KILL', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP']) {
  test(`${NEWER}: a default action of ${action} does not hit what the profile could not know`, peers, async () => {
    requires('x86_64')
    const [newer, denied] = await under(old(action), ['syscall', String(TOMORROW)], ['syscall', 'getsid', '0'])
    deepEqual([newer.error, newer.signal, denied.returned, denied.signal], ['ENOSYS', 0, false, SIGSYS])
  })
}

test(`${NEWER}: defaultErrnoRet is for what the profile could know`, peers, async () => {
  requires('x86_64')
  const profile = old('SCMP_ACT_ERRNO', { defaultErrnoRet: 13 })
  const [newer, denied] = await under(profile, ['syscall', String(TOMORROW)], ['syscall', 'getsid', '0'])
  deepEqual([newer.error, denied.error], ['ENOSYS', 'EACCES'])
})

test(`${NEWER}: a rule that only denies counts as known`, peers, async () => {
  requires('x86_64')
  const profile = old('SCMP_ACT_ERRNO', {
    syscalls: [
      { names: NEEDED, action: 'SCMP_ACT_ALLOW' },
      { names: ['landlock_create_ruleset'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
    ],
  })
  // landlock_create_ruleset is 444.
  const calls = await under(profile, ['syscall', '440'], ['syscall', '444'], ['syscall', '445'])
  deepEqual(
    calls.map(({ error }) => error),
    ['EPERM', 'EPERM', 'ENOSYS'],
  )
})
