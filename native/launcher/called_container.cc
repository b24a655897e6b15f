#include "launcher/called_container.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/container_id.h"
#include "engine/state_lock.h"
#include "sys/text.h"

namespace tsrunc::launcher {

bool goes_up(const char* path) noexcept {
  for (const char* at = std::strstr(path, ".."); at != nullptr; at = std::strstr(at + 1, "..")) {
    if ((at == path || at[-1] == '/') && (at[2] == 0 || at[2] == '/')) {
      return true;
    }
  }
  return false;
}

sys::UniqueFd open_called(const char* root, const char* id) {
  char path[PATH_MAX];
  sys::Text text(path);
  text.add(root).add("/").add(id);
  struct stat about {};
  if (!engine::valid_container_id(id) || goes_up(root) || text.cut()) {
    return {};
  }
  sys::UniqueFd directory(::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid() || ::fstat(directory.get(), &about) != 0 || about.st_uid != ::geteuid()) {
    return {};
  }
  return directory;
}

sys::UniqueFd lock_called(const char* root, const char* id) {
  sys::UniqueFd directory = open_called(root, id);
  if (directory.valid() && engine::lock_directory(directory.get(), id, 0)) {
    directory.reset();
  }
  return directory;
}

}  // namespace tsrunc::launcher
