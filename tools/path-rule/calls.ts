/** What native functions the rule knows. */
import type { Call, Constant } from './source'

const words = (text: string): string[] => text.trim().split(/\s+/)

/** They take a path, of native/sys too. */
export const PATHS: ReadonlySet<string> = new Set(
  words(`
    open openat openat2 creat fopen freopen opendir open_host open_tree fspick
    mkdir mkdirat mknod mknodat mkfifo mkfifoat link linkat symlink symlinkat
    unlink unlinkat rmdir rename renameat renameat2
    mount umount umount2 move_mount mount_setattr pivot_root chroot chdir
    chown lchown fchownat chmod lchmod fchmodat fchmodat2 truncate utime utimes lutimes futimesat utimensat
    stat lstat fstatat newfstatat statx statfs statvfs access faccessat faccessat2 eaccess euidaccess
    readlink readlinkat realpath canonicalize_file_name name_to_handle_at inotify_add_watch fanotify_mark
    setxattr lsetxattr getxattr lgetxattr listxattr llistxattr removexattr lremovexattr
    execve execveat execv execvp execvpe execl execlp posix_spawn posix_spawnp
    scandir ftw nftw glob mkstemp mkostemp mkdtemp tempnam acct swapon quotactl uselib dlopen
    read_file write_file
  `),
)

/** They make a descriptor: what must stand among the arguments for it to be closed at exec; `never`: there is a better call. */
export const DESCRIPTORS: Readonly<Record<string, RegExp | 'never'>> = {
  open: /O_CLOEXEC/,
  openat: /O_CLOEXEC/,
  open_by_handle_at: /O_CLOEXEC/,
  creat: 'never',
  fopen: 'never',
  freopen: 'never',
  socket: /SOCK_CLOEXEC/,
  socketpair: /SOCK_CLOEXEC/,
  accept: 'never',
  accept4: /SOCK_CLOEXEC/,
  recvmsg: /MSG_CMSG_CLOEXEC/,
  recvmmsg: /MSG_CMSG_CLOEXEC/,
  pipe: 'never',
  pipe2: /O_CLOEXEC/,
  dup: 'never',
  dup2: 'never',
  dup3: /O_CLOEXEC/,
  memfd_create: /MFD_CLOEXEC/,
  memfd_secret: /O_CLOEXEC/,
  epoll_create: 'never',
  epoll_create1: /EPOLL_CLOEXEC/,
  eventfd: /EFD_CLOEXEC/,
  signalfd: /SFD_CLOEXEC/,
  timerfd_create: /TFD_CLOEXEC/,
  inotify_init: 'never',
  inotify_init1: /IN_CLOEXEC/,
  fanotify_init: /FAN_CLOEXEC/,
  userfaultfd: /O_CLOEXEC/,
  perf_event_open: /PERF_FLAG_FD_CLOEXEC/,
  open_tree: /OPEN_TREE_CLOEXEC/,
  fsopen: /FSOPEN_CLOEXEC/,
  fspick: /FSPICK_CLOEXEC/,
  fsmount: /FSMOUNT_CLOEXEC/,
  posix_openpt: /O_CLOEXEC/,
  openpty: 'never',
  mkstemp: 'never',
  mkostemp: /O_CLOEXEC/,
  popen: 'never',
  // A duplicate by its other name.
  fcntl: /^\((?!.*F_DUPFD\b)/s,
}

export const NAMES: ReadonlySet<string> = new Set([...PATHS, ...Object.keys(DESCRIPTORS)])

/** Names of the arguments and what they stand for: as defined last before the call, or anywhere. */
const spelledOut = ({ args, line }: Call, constants: readonly Constant[]): string =>
  args.replace(/\b[A-Za-z_]\w*\b/g, (name) => {
    const all = constants.filter((constant) => constant.name === name)
    const found = all.filter((constant) => constant.line <= line).at(-1) ?? all[0]
    return found === undefined ? name : `${name} ${found.value}`
  })

/** Whether the descriptor it makes stays open when a program is executed. */
export const isInherited = (call: Call, constants: readonly Constant[]): boolean => {
  const wanted = DESCRIPTORS[call.name]
  return wanted !== undefined && (wanted === 'never' || !wanted.test(spelledOut(call, constants)))
}

/** No name is looked up, or one that cannot lead out: an open descriptor itself, or a path that openat2(2) keeps inside. */
export const isBound = (call: Call, constants: readonly Constant[]): boolean => {
  const { name, args } = call
  const all = spelledOut(call, constants)
  if (name === 'openat2') return /RESOLVE_(BENEATH|IN_ROOT)/.test(all)
  if (name === 'move_mount') return /MOVE_MOUNT_F_EMPTY_PATH/.test(all) && /MOVE_MOUNT_T_EMPTY_PATH/.test(all)
  if (/AT_EMPTY_PATH/.test(all) && /, "",/.test(args)) return true
  // What an O_PATH descriptor of a link or a tree is asked: an empty path is the descriptor.
  if (/^\([^,]*, "",/.test(args) && /^(readlinkat|open_tree|mount_setattr)$/.test(name)) return true
  // /proc/self/fd/N of an open descriptor; mount(2) names its target second, and its source is no path then.
  return /^\((nullptr, |[^,]*, )?sys::FdPath\([^()]*(\(\))?\)\.text/.test(args)
}
