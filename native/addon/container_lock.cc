#include "addon/container_lock.h"

#include <fcntl.h>

#include <utility>

#include "engine/state_lock.h"
#include "sys/unique_fd.h"

namespace tsrunc::addon {
namespace {

// Of this process: a call is about one container.
sys::UniqueFd& locked() noexcept {
  static sys::UniqueFd directory;
  return directory;
}

}  // namespace

sys::Failure lock_container(const std::string& path, int milliseconds) {
  sys::UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) {
    return sys::fail("open", path.c_str());
  }
  TSRUNC_TRY(engine::lock_directory(directory.get(), path.c_str(), milliseconds));
  locked() = std::move(directory);
  return sys::kOk;
}

int locked_container() noexcept {
  return locked().get();
}

}  // namespace tsrunc::addon
