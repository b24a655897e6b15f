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

struct Program {
  const wire::Exec& op;
  const char* const* env;
};

void execute(const char* path, const Program& program) noexcept {
  (void)::execve(path, const_cast<char* const*>(program.op.args.items),
                 const_cast<char* const*>(program.env));
}

// A directory of the program's name is not what anybody looks for.
bool is_file(const char* path) noexcept {
  struct stat status {};
  return ::fstatat(AT_FDCWD, path, &status, 0) == 0 && !S_ISDIR(status.st_mode);
}

// Tries the program in each directory of PATH. `found` takes the first file that exists, for the diagnosis.
// Returns the errno that decides.
int search(const Program& program, char* found, size_t size) noexcept {
  const char* name = program.op.args.items[0];
  int decisive = ENOENT;
  found[0] = 0;
  for (const char* rest = search_path(program.op.env);;) {
    const size_t length = std::strcspn(rest, ":");
    char candidate[PATH_MAX] = {};
    Text text(candidate);
    text.add(rest, length).add(length == 0 ? "" : "/").add(name);
    if (!text.cut()) {
      execute(candidate, program);
      const int code = errno;
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

}  // namespace

Failure run(InitContext& context, const wire::Exec& op) noexcept {
  if (op.args.count == 0) {
    return fail(EINVAL, "execve", nullptr, "there is no program to execute");
  }
  const Program program{op, context.env != nullptr ? context.env : op.env.items};
  const char* name = op.args.items[0];
  if (std::strchr(name, '/') != nullptr) {
    execute(name, program);
    return fail(errno, "execve", name, diagnose(context, errno, name));
  }
  const int code = *name == 0 ? ENOENT : search(program, context.path, sizeof context.path);
  if (context.path[0] == 0) {
    return fail(ENOENT, "execve", name, "executable file not found in $PATH");
  }
  return fail(code, "execve", context.path, diagnose(context, code, context.path));
}

}  // namespace tsrunc::engine
