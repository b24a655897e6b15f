// execve(2) of the container's program, with the PATH search of execvp(3) in the container.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "engine/init/diagnose.h"
#include "engine/init/init_context.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Text;

// execvp(3): what is searched when the environment has no PATH.
constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const char* search_path(const wire::StrList& env) noexcept {
  for (uint32_t i = 0; i < env.count; ++i) {
    if (std::strncmp(env.items[i], "PATH=", 5) == 0) {
      return env.items[i] + 5;
    }
  }
  return kDefaultPath;
}

// A directory of the program's name is not what anybody looks for.
bool is_file(const char* path) noexcept {
  struct stat status {};
  return ::fstatat(AT_FDCWD, path, &status, 0) == 0 && !S_ISDIR(status.st_mode);
}

// Gives the program in each directory of PATH to `attempt`, until that returns 0. `found` takes the first
// file that exists, for the diagnosis. Returns the errno that decides.
template <typename Attempt>
int search(const char* name, const wire::StrList& env, Attempt attempt, char* found, size_t size) noexcept {
  int decisive = ENOENT;
  found[0] = 0;
  for (const char* rest = search_path(env);;) {
    const size_t length = std::strcspn(rest, ":");
    char candidate[PATH_MAX] = {};
    Text text(candidate);
    text.add(rest, length).add(length == 0 ? "" : "/").add(name);
    if (!text.cut()) {
      const int code = attempt(candidate);
      if (code == 0) {
        return 0;
      }
      if (found[0] == 0 && is_file(candidate)) {
        Text(found, size).add(candidate);
        decisive = code;
      }
      // As execvp(3): another directory may hold one that can be run.
      if (code != ENOENT && code != EACCES && code != ENOTDIR) {
        Text(found, size).add(candidate);
        return code;
      }
    }
    if (rest[length] == 0) {
      return decisive;
    }
    rest += length + 1;
  }
}

// Whether the file is there and may be executed by whoever the process is by now: 0 or an errno.
int look(const char* path) noexcept {
  struct stat status {};
  if (::fstatat(AT_FDCWD, path, &status, 0) < 0) {
    return errno;
  }
  if (S_ISDIR(status.st_mode)) {
    return EACCES;  // as execve(2)
  }
  return ::faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

// `attempt`, of a path, returns 0 where that is the program, else an errno.
template <typename Attempt>
Failure try_program(InitContext& context, const char* call, const char* name, const wire::StrList& env,
                    Attempt attempt) noexcept {
  if (std::strchr(name, '/') != nullptr) {
    const int code = attempt(name);
    return code == 0 ? kOk : fail(code, call, name, diagnose(context, code, name));
  }
  context.path[0] = 0;
  const int code = *name == 0 ? ENOENT : search(name, env, attempt, context.path, sizeof context.path);
  if (code == 0) {
    return kOk;
  }
  if (context.path[0] == 0) {
    return fail(ENOENT, call, name, "executable file not found in $PATH");
  }
  return fail(code, call, context.path, diagnose(context, code, context.path));
}

}  // namespace

Failure run(InitContext& context, const wire::FindProgram& op) noexcept {
  return try_program(context, "access", op.name.data, op.env, look);
}

Failure run(InitContext& context, const wire::Exec& op) noexcept {
  if (op.args.count == 0) {
    return fail(EINVAL, "execve", nullptr, "there is no program to execute");
  }
  char* const* args = const_cast<char* const*>(op.args.items);
  char* const* env = const_cast<char* const*>(context.env != nullptr ? context.env : op.env.items);
  const auto execute = [args, env](const char* path) noexcept {
    (void)::execve(path, args, env);
    return errno;
  };
  return try_program(context, "execve", op.args.items[0], op.env, execute);
}

}  // namespace tsrunc::engine
