import { expect, test } from 'vitest'
import type { Allowed } from './allowed'
import { check } from './check'

const complaints = (text: string, path = 'engine/init/mounts.cc', rows: readonly Allowed[] = []): string[] =>
  check([{ path, text: `Failure run(InitContext& context) noexcept {\n  ${text}\n}\n` }], rows).map((line) =>
    line.replace(/^native\/[^:]*:\d+: /, ''),
  )

test.each([
  'const int fd = ::openat(directory, name, O_PATH | O_CLOEXEC);',
  'return ::mkdirat(directory, name, 0755) == 0;',
  'if (::mount(source, path, nullptr, MS_BIND, nullptr) < 0) {}',
  'return syscall(SYS_mkdirat, directory, name, 0755);',
  'auto fd = sys::openat2(root, path, O_PATH, RESOLVE_NO_SYMLINKS);',
  'auto fd = sys::open_host(path, O_PATH);',
  '(void)::move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);',
])('a path in %s is refused', (text) => {
  expect(complaints(text)).toEqual([expect.stringContaining('in run: takes a path')])
})

test.each([
  'auto fd = sys::openat2(root, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);',
  'constexpr uint64_t kHow = RESOLVE_BENEATH;\n  auto fd = sys::openat2(root, path, O_PATH, kHow);',
  '::mount(nullptr, sys::FdPath(fd.get()).text, nullptr, MS_REMOUNT, nullptr);',
  '(void)::fchownat(fd, "", uid, gid, AT_EMPTY_PATH);',
  '// ::open(path) would follow links',
  'context.log("::open(path)");',
  'state.open(path);',
  'Failure open(const char* path);',
])('nothing is wrong with %s', (text) => {
  expect(complaints(text)).toEqual([])
})

test.each([
  '::socket(AF_UNIX, SOCK_STREAM, 0);',
  '::accept(fd, nullptr, nullptr);',
  '::pipe(ends);',
  '::pipe2(ends, O_NONBLOCK);',
  '::memfd_create("plan", MFD_ALLOW_SEALING);',
  '::epoll_create1(0);',
  '::eventfd(0, EFD_NONBLOCK);',
  '::dup(fd);',
  '::fcntl(fd, F_DUPFD, 3);',
  '::recvmsg(fd, &header, 0);',
])('%s leaves a descriptor open', (text) => {
  expect(complaints(text, 'sys/kernel.cc')).toEqual([expect.stringContaining('not closed at exec')])
})

test.each([
  '::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);',
  '::fcntl(fd, F_DUPFD_CLOEXEC, 3);',
  '::fcntl(fd, F_GETFL);',
])('%s leaves none', (text) => expect(complaints(text)).toEqual([]))

test('a row lets a function of a file call one, and nothing else', () => {
  const row = { files: 'engine/init/mounts.cc', calls: 'chdir', in: 'run', why: 'a reason' }
  expect(complaints('::chdir(path);', 'engine/init/mounts.cc', [row])).toEqual([])
  expect(complaints('::chdir(path); ::chroot(path);', 'engine/init/mounts.cc', [row])).toHaveLength(1)
})

test('a row that nothing needs is refused, and so is one about init that names no function', () => {
  const row = { files: 'engine/init/mounts.cc', calls: 'chdir chroot', why: 'a reason' }
  expect(complaints('::chdir(path);', 'engine/init/mounts.cc', [row])).toEqual([
    expect.stringContaining('nothing needs "chroot"'),
    expect.stringContaining('must name functions'),
  ])
})
