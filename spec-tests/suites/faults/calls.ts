// System calls: their names, and the errors that make sense for each.
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

const HEADERS = ['/usr/include/x86_64-linux-gnu/asm/unistd_64.h', '/usr/include/asm/unistd_64.h']

const readNumbers = (): Map<string, number> => {
  for (const path of HEADERS) {
    try {
      const lines = readFileSync(path, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)
      return new Map([...lines].map(([, name = '', number]) => [name, Number(number)]))
    } catch {
      // Distributions keep it in one place or the other.
    }
  }
  throw new Error(`none of ${HEADERS.join(', ')} is there`)
}

let numbers: Map<string, number> | undefined
let names: Map<number, string> | undefined

export const numberOf = (name: string): number => {
  numbers ??= readNumbers()
  return numbers.get(name) ?? -1
}

/** The name, or the number where the header is older than the kernel. */
export const nameOf = (number: number): string => {
  numbers ??= readNumbers()
  names ??= new Map([...numbers].map(([name, value]) => [value, name]))
  return names.get(number) ?? String(number)
}

/** Calls that cannot fail, or do not come back. */
export const INFALLIBLE: ReadonlySet<string> = new Set([
  ...['getpid', 'getppid', 'gettid', 'getuid', 'geteuid', 'getgid', 'getegid', 'umask', 'sched_yield', 'alarm'],
  ...['exit', 'exit_group', 'rt_sigreturn', 'restart_syscall', 'set_tid_address'],
])

/** What the C library does before the program begins. */
export const BEGINNING: ReadonlySet<string> = new Set([
  ...['arch_prctl', 'set_robust_list', 'rseq', 'prlimit64', 'readlinkat', 'readlink', 'getrandom', 'mprotect', 'brk'],
])

const GROUPS: readonly (readonly [errors: readonly string[], calls: string])[] = [
  [['EMFILE', 'EPERM', 'EINTR'], 'open openat openat2'],
  [['EMFILE', 'ENOSYS'], 'socket socketpair pipe pipe2 eventfd2 epoll_create1 memfd_create pidfd_open dup dup2 dup3'],
  [['EPERM', 'EBUSY', 'ENOMEM'], 'mount move_mount umount2 pivot_root'],
  [['ENOSYS', 'EPERM', 'ENOMEM'], 'open_tree fsopen fsmount fsconfig mount_setattr'],
  [['EPERM', 'ENOMEM'], 'setns unshare chroot chdir fchdir setuid setgid setresuid setresgid setgroups capset'],
  [
    ['EPERM'],
    'capget prctl sethostname setdomainname setsid sched_setattr prlimit64 setpriority chmod fchmod fchmodat',
  ],
  [['EPERM'], 'chown fchown fchownat mknodat mknod setsockopt kill tgkill pidfd_send_signal ptrace seccomp bpf'],
  [['ENOMEM'], 'mmap mremap mprotect munmap brk fork vfork clone clone3 execve execveat madvise'],
  [['EINTR', 'EIO'], 'read write pread64 pwrite64 readv writev sendfile'],
  [['EINTR', 'ENOMEM'], 'sendmsg recvmsg sendto recvfrom connect accept accept4 poll ppoll select epoll_wait'],
  [['EINTR', 'ECHILD'], 'wait4 waitid'],
  [['EINTR', 'ENOMEM'], 'flock'],
  [['EBUSY'], 'rmdir'],
  [['EBUSY', 'EIO'], 'unlink unlinkat'],
]

const ERRORS = new Map(GROUPS.flatMap(([errors, calls]) => calls.split(' ').map((call) => [call, errors] as const)))

/** Names of errors; variable SPEC_FAULTS_ERRNO: that one for every call. */
export const errorsOf = (call: string): readonly string[] => {
  const wanted = process.env['SPEC_FAULTS_ERRNO']
  return wanted === undefined ? (ERRORS.get(call) ?? ['EIO']) : [wanted]
}

export const errorNumber = (name: string): number => {
  const number = (constants.errno as Readonly<Record<string, number>>)[name]
  if (number === undefined) {
    throw new Error(`no errno is called ${name}`)
  }
  return number
}
