// config.md "terminal": a pty of the container's own devpts. The slave is opened from the master
// (TIOCGPTPEER), never by its name, which the container could redirect (CVE-2025-52565).
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "engine/init/init_context.h"
#include "engine/init/mount_tree.h"
#include "engine/init/root_path.h"
#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

// Devices of Documentation/admin-guide/devices.txt: 5:2 is /dev/ptmx, 136 to 143 are the slaves.
constexpr unsigned kFirstSlaveMajor = 136;
constexpr unsigned kLastSlaveMajor = 143;

Result<UniqueFd> open_master(const InitContext& context) noexcept {
  Result<UniqueFd> ptmx = open_in_root(context, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (!ptmx.ok()) {
    ptmx = open_in_root(context, "/dev/ptmx", O_RDWR | O_NOCTTY);
  }
  if (!ptmx.ok()) {
    return fail(ptmx.failure().code, "open", "/dev/ptmx",
                ptmx.failure().code == ENOENT
                    ? "no such file or directory: a terminal needs a mount of type devpts at /dev/pts"
                    : nullptr);
  }
  struct stat status {};
  if (::fstat(ptmx->get(), &status) < 0) {
    return fail("fstat", "/dev/ptmx");
  }
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2)) {
    return fail(ENODEV, "open", "/dev/ptmx",
                "it is not the pseudo-terminal multiplexer (character device 5:2)");
  }
  return ptmx;
}

Failure check_slave(int slave) noexcept {
  struct stat status {};
  struct statfs fs {};
  if (::fstat(slave, &status) < 0 || ::fstatfs(slave, &fs) < 0) {
    return fail("fstat", "/dev/pts");
  }
  const unsigned number = major(status.st_rdev);
  if (!S_ISCHR(status.st_mode) || number < kFirstSlaveMajor || number > kLastSlaveMajor ||
      fs.f_type != DEVPTS_SUPER_MAGIC) {
    return fail(ENODEV, "ioctl", "/dev/pts", "the console is not a pseudo-terminal");
  }
  return kOk;
}

Failure mount_on_console(InitContext& context, int slave) noexcept {
  Result<Place> target = ensure_file(context, "/dev/console");
  if (!target.ok()) {
    return target.failure();
  }
  Result<UniqueFd> tree = clone_tree(slave, false, "/dev/console");
  return tree.ok() ? attach(tree->get(), target->fd.get(), "/dev/console") : tree.failure();
}

}  // namespace

Failure run(InitContext& context, const wire::OpenConsole& op) noexcept {
  Result<UniqueFd> master = open_master(context);
  if (!master.ok()) {
    return master.failure();
  }
  int unlock = 0;
  if (::ioctl(master->get(), TIOCSPTLCK, &unlock) < 0) {
    return fail("ioctl", "/dev/ptmx");
  }
  const UniqueFd slave(::ioctl(master->get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave.valid()) {
    return fail("ioctl", "/dev/ptmx");
  }
  TSRUNC_TRY(check_slave(slave.get()));
  if (op.rows != 0 || op.columns != 0) {
    winsize size{};
    size.ws_row = static_cast<unsigned short>(op.rows);
    size.ws_col = static_cast<unsigned short>(op.columns);
    if (::ioctl(slave.get(), TIOCSWINSZ, &size) < 0) {
      return fail("ioctl", "/dev/pts");
    }
  }
  if (::fchown(slave.get(), op.uid, static_cast<gid_t>(-1)) < 0) {
    return fail("fchown", "/dev/pts");
  }
  if (op.of_init) {
    TSRUNC_TRY(mount_on_console(context, slave.get()));
  }
  for (int fd = 0; fd <= 2; ++fd) {
    if (::dup2(slave.get(), fd) < 0) {
      return fail("dup2", "/dev/pts");
    }
  }
  if (op.of_init && ::ioctl(0, TIOCSCTTY, 0) < 0) {
    return fail("ioctl", "/dev/pts");
  }
  context.own_console = true;
  context.console = std::move(*master);
  return kOk;
}

Failure run(InitContext& /*context*/, const wire::TakeTerminal& /*op*/) noexcept {
  return ::ioctl(0, TIOCSCTTY, 0) < 0 ? fail("ioctl", "/dev/pts") : kOk;
}

}  // namespace tsrunc::engine
