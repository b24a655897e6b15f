// user_namespaces(7) "User and group ID mappings".
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "engine/host/user_namespace.h"
#include "engine/host_context.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Text;

// newuidmap PID, then three words a line: the kernel takes 340 lines.
constexpr size_t kMaxWords = 2 + 3 * 340 + 1;

// They may ask a directory service for the user's ranges.
constexpr int kHelperMs = 60'000;
constexpr int kNotExecuted = 127;

struct Helper {
  const char* program;
  const char* const* argv;
  char said[512] = {};  // the first of what it wrote to its standard error
};

[[noreturn]] void become_helper(const Helper& helper, int error_fd) noexcept {
  // Its own messages belong into ours; a descriptor of tsrunc is no business of another program.
  if (::dup2(error_fd, STDERR_FILENO) < 0 || sys::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC)) {
    ::_exit(kNotExecuted);
  }
  (void)::execvp(helper.program, const_cast<char* const*>(helper.argv));
  ::_exit(kNotExecuted);
}

// Reads what the helper says until it ends. False if that took too long.
[[nodiscard]] bool listen(int fd, Helper& helper) noexcept {
  const sys::Deadline deadline(kHelperMs);
  size_t length = 0;
  for (;;) {
    pollfd ready{fd, POLLIN, 0};
    const int count = ::poll(&ready, 1, deadline.left());
    if (count == 0) {
      return false;
    }
    char more[256];
    const ssize_t got = count < 0 ? -1 : ::read(fd, more, sizeof more);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return true;
    }
    const size_t room = sizeof helper.said - 1 - length;
    const size_t taken = static_cast<size_t>(got) < room ? static_cast<size_t>(got) : room;
    std::memcpy(helper.said + length, more, taken);
    length += taken;
  }
}

// Several lines become one: they are part of a sentence.
void join_lines(char* text) noexcept {
  size_t length = std::strlen(text);
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' ')) {
    text[--length] = 0;
  }
  for (size_t i = 0; i < length; ++i) {
    if (static_cast<unsigned char>(text[i]) < ' ') {
      text[i] = ' ';
    }
  }
}

Failure explain(HostContext& context, Helper& helper, int status) {
  const bool missing = WIFEXITED(status) && WEXITSTATUS(status) == kNotExecuted;
  Text text(context.detail);
  if (missing) {
    text.add(
        "no such file or directory: several ids need this program of the package uidmap, which is not in "
        "PATH");
    return fail(ENOENT, helper.program, nullptr, context.detail);
  }
  join_lines(helper.said);
  const bool gids = std::strcmp(helper.program, "newgidmap") == 0;
  text.add("operation not permitted: ");
  if (helper.said[0] != 0) {
    text.add("it says \"").add(helper.said).add("\"; ");
  }
  text.add("the ids that user ").add(uint64_t{::getuid()}).add(" may map are those of ");
  text.add(gids ? "/etc/subgid" : "/etc/subuid").add(" (usermod --add-");
  text.add(gids ? "subgids" : "subuids").add(" FIRST-LAST USER adds some), and ");
  text.add(helper.program).add(" must be set-user-ID root or have CAP_SETUID or CAP_SETGID");
  return fail(EPERM, helper.program, nullptr, context.detail);
}

Failure spawn_helper(HostContext& context, Helper& helper) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) {
    return fail("pipe2", helper.program);
  }
  const sys::UniqueFd reader(ends[0]);
  sys::UniqueFd writer(ends[1]);
  clone_args args{};
  args.exit_signal = SIGCHLD;
  const long child = sys::clone3(args);
  if (child < 0) {
    return fail("clone3", helper.program);
  }
  if (child == 0) {
    become_helper(helper, writer.get());
  }
  writer.reset();
  const bool in_time = listen(reader.get(), helper);
  if (!in_time) {
    (void)::kill(static_cast<pid_t>(child), SIGKILL);
  }
  int status = 0;
  while (::waitpid(static_cast<pid_t>(child), &status, 0) < 0) {
    if (errno != EINTR) {
      return fail("waitpid", helper.program);
    }
  }
  if (!in_time) {
    return fail(ETIMEDOUT, helper.program, nullptr, "it did not end within a minute");
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? kOk : explain(context, helper, status);
}

// newuidmap(1) and newgidmap(1) check /etc/subuid and /etc/subgid and may write what we may not. Only a
// caller without privileges gets here: with whatever PATH, it runs nothing that it could not run by itself.
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
  char* rest = nullptr;
  for (char* word = ::strtok_r(words, " \n", &rest); word != nullptr;
       word = ::strtok_r(nullptr, " \n", &rest)) {
    if (count + 1 >= kMaxWords) {
      return fail(E2BIG, program, nullptr, nullptr);
    }
    argv[count++] = word;
  }
  Helper helper{program, argv};
  return spawn_helper(context, helper);
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
