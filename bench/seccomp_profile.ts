/** System calls that an engine's default profile keeps from a container: those that administer the host, load code into
 *  its kernel, set its clocks, cross namespaces, or are obsolete. */
const DENIED: ReadonlySet<string> = new Set([
  ...['acct', 'add_key', 'keyctl', 'request_key', 'quotactl', 'quotactl_fd', 'lookup_dcookie', 'nfsservctl'],
  ...['bpf', 'perf_event_open', 'fanotify_init', 'open_by_handle_at', 'userfaultfd', 'vm86', 'vm86old'],
  ...['create_module', 'delete_module', 'init_module', 'finit_module', 'get_kernel_syms', 'query_module'],
  ...['clock_settime', 'clock_settime64', 'settimeofday', 'stime', 'adjtimex', 'clock_adjtime', 'clock_adjtime64'],
  ...['get_mempolicy', 'set_mempolicy', 'mbind', 'migrate_pages', 'move_pages', 'set_mempolicy_home_node'],
  ...['ioperm', 'iopl', 'kcmp', 'kexec_file_load', 'kexec_load', 'reboot', 'swapon', 'swapoff', 'syslog', 'vhangup'],
  ...['mount', 'umount', 'umount2', 'mount_setattr', 'move_mount', 'open_tree', 'fsopen', 'fsconfig', 'fsmount'],
  ...['fspick', 'pivot_root', 'setns', 'unshare', 'sethostname', 'setdomainname', 'process_vm_readv'],
  ...['process_vm_writev', 'io_uring_setup', 'io_uring_enter', 'io_uring_register', 'sysfs', '_sysctl', 'uselib'],
  ...['ustat', 'clone', 'clone3', 'personality', 'socket', 'afs_syscall', 'security', 'tuxcall', 'putpmsg', 'getpmsg'],
])

/** Flags of clone(2) that make a namespace: CLONE_NEWNS, …CGROUP, …UTS, …IPC, …USER, …PID, …NET. */
const CLONE_NAMESPACES = 0x7e020000
const ENOSYS = 38
const AF_VSOCK = 40

interface Architectures {
  readonly [machine: string]: readonly string[]
}

const ARCHITECTURES: Architectures = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
}

/**
 * A profile of the size and shape of an engine's default one: everything is denied but some three hundred names, a few of
 * them depending on arguments.
 * @param names the system calls that libseccomp knows on this machine.
 * @see config-linux.md "Seccomp"
 */
export function seccompProfile(names: readonly string[]) {
  const allow = (rule: object) => ({ ...rule, action: 'SCMP_ACT_ALLOW' })
  const personalities = [0, 8, 0x20000, 0x20008, 0xffffffff]
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ARCHITECTURES[process.arch] ?? [],
    syscalls: [
      allow({ names: names.filter((name) => !DENIED.has(name)) }),
      allow({ names: ['socket'], args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }] }),
      ...personalities.map((value) =>
        allow({ names: ['personality'], args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }),
      ),
      allow({
        names: ['clone'],
        args: [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      }),
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ],
  }
}
