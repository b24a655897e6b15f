#include "addon/executable_copy.h"

#include <pthread.h>
#include <signal.h>

#include <memory>
#include <utility>

#include "launcher/sealed.h"

namespace tsrunc::addon {
namespace {

struct Copy {
  std::string path;
  pthread_t thread{};
  sys::Result<sys::UniqueFd> result = sys::UniqueFd();
};

// Of this process: it is handed off once.
std::unique_ptr<Copy> begun;

void* make_copy(void* argument) {
  auto* copy = static_cast<Copy*>(argument);
  copy->result = launcher::sealed_executable(copy->path.c_str());
  return nullptr;
}

}  // namespace

void begin_copy(const std::string& path) {
  if (begun != nullptr) {
    return;
  }
  auto copy = std::make_unique<Copy>();
  copy->path = path;
  // Signals stay with the thread that node handles them in.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  if (::pthread_create(&copy->thread, nullptr, make_copy, copy.get()) == 0) {
    begun = std::move(copy);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

sys::Result<sys::UniqueFd> take_copy(const std::string& path) {
  const std::unique_ptr<Copy> copy = std::move(begun);
  if (copy == nullptr) {
    return launcher::sealed_executable(path.c_str());
  }
  ::pthread_join(copy->thread, nullptr);
  // A failure's texts point into the copy, which ends here: the second attempt says the same of `path`.
  if (copy->path != path || !copy->result.ok()) {
    return launcher::sealed_executable(path.c_str());
  }
  return std::move(*copy->result);
}

}  // namespace tsrunc::addon
