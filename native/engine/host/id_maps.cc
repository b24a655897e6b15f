// user_namespaces(7) "User and group ID mappings".
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "engine/host/user_namespace.h"
#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Text;

// newuidmap PID, then three words a line: the kernel takes 340 lines.
constexpr size_t kMaxWords = 2 + 3 * 340 + 1;

// newuidmap(1) and newgidmap(1) check /etc/subuid and /etc/subgid and may write what we may not.
Failure run_helper(HostContext& context, const char* program, const wire::Str& map) {
  char words[16384];
  if (map.size >= sizeof words) {
    return fail(E2BIG, program, nullptr, nullptr);
  }
  std::memcpy(words, map.data, map.size + 1);
  char pid[24];
  Text(pid).add(static_cast<uint64_t>(context.init.pid));
  const char* argv[kMaxWords] = {program, pid};
  size_t count = 2;
  for (char* word = std::strtok(words, " \n"); word != nullptr; word = std::strtok(nullptr, " \n")) {
    if (count + 1 >= kMaxWords) {
      return fail(E2BIG, program, nullptr, nullptr);
    }
    argv[count++] = word;
  }
  clone_args args{};
  args.exit_signal = SIGCHLD;
  const long child = sys::clone3(args);
  if (child < 0) {
    return fail("clone3", program);
  }
  if (child == 0) {
    (void)::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    (void)::execvp(program, const_cast<char* const*>(argv));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(static_cast<pid_t>(child), &status, 0) < 0) {
    if (errno != EINTR) {
      return fail("waitpid", program);
    }
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return kOk;
  }
  return fail(
      EPERM, program, nullptr,
      WIFEXITED(status) && WEXITSTATUS(status) == 127
          ? "operation not permitted: several ids need this program of the package uidmap, which is missing"
          : "operation not permitted: see /etc/subuid and /etc/subgid for the ids that this user may map");
}

}  // namespace

Failure run(HostContext& context, const wire::WriteIdMaps& op) {
  if (op.helpers) {
    TSRUNC_TRY(run_helper(context, "newuidmap", op.uid_map));
    return run_helper(context, "newgidmap", op.gid_map);
  }
  TSRUNC_TRY(write_map(context.init.pid, "uid_map", op.uid_map));
  if (op.deny_setgroups) {
    // user_namespaces(7): without privileges gid_map can be written only after this.
    TSRUNC_TRY(write_map(context.init.pid, "setgroups", {"deny", 4}));
  }
  return write_map(context.init.pid, "gid_map", op.gid_map);
}

}  // namespace tsrunc::engine
