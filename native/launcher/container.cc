#include "launcher/container.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/container_id.h"
#include "engine/trace.h"
#include "launcher/describe.h"
#include "launcher/json_text.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

// user_namespaces(7): the initial one maps every id to itself.
[[nodiscard]] bool in_user_namespace() noexcept {
  char map[256];
  const auto length = sys::read_file(AT_FDCWD, "/proc/self/uid_map", map, sizeof map);
  if (!length.ok()) {
    return length.failure().code == EFBIG;
  }
  char* at = map;
  const unsigned long inside = std::strtoul(at, &at, 10);
  const unsigned long outside = std::strtoul(at, &at, 10);
  const unsigned long count = std::strtoul(at, &at, 10);
  return inside != 0 || outside != 0 || count != 4294967295UL;
}

[[nodiscard]] bool uses_runtime_directory() noexcept {
  if (::geteuid() != 0) {
    return true;
  }
  const char* user = ::getenv("USER");
  return (user == nullptr || std::strcmp(user, "root") != 0) && in_user_namespace();
}

// Of several containers the path says which.
void warn(engine::Log& log, const Failure& failure) {
  char text[1024];
  sys::Text(text).add(failure.path).add(": ").add(failure.detail);
  log.warn(text);
}

}  // namespace

void add_default_root(sys::Array<char>& out) {
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || *runtime == 0 || !uses_runtime_directory()) {
    add_text(out, "/run/tsrunc");
    return;
  }
  add_text(out, runtime);
  add_text(out, "/tsrunc");
}

Failure Container::open(const char* root, const char* id, engine::Log& log, Damage damage) {
  const engine::Span span("state", "open the container");
  if (!engine::valid_container_id(id)) {
    return sys::fail(EINVAL, "open", nullptr, nullptr);
  }
  if (root != nullptr) {
    add_text(path_, root);
  } else {
    add_default_root(path_);
  }
  path_.push('/');
  path_.append(id, std::strlen(id) + 1);
  TSRUNC_TRY(state.open(path_.data()));
  return load(log, damage);
}

Failure Container::load(engine::Log& log, Damage damage) {
  const Failure unplanned = state.load_plan(plan);
  has_plan = !unplanned;
  if (unplanned && unplanned.code != ENODATA) {
    return unplanned;
  }
  if (const Failure failure = refresh(); failure) {
    if (failure.code != EBADMSG || damage == Damage::kRefused) {
      return failure;
    }
    damaged = true;
    warn(log, failure);
  }
  if (unplanned) {
    // Before there is a state create was interrupted, and nothing had been begun; afterwards the plan was
    // whole.
    if (saved.init.pid != 0 && damage == Damage::kRefused) {
      return sys::fail(EBADMSG, unplanned.call, unplanned.path, unplanned.detail);
    }
    // Without a state a plan that is not whole is one that was being written.
    const bool begun = saved.init.pid != 0 || damaged;
    warn(log, begun ? unplanned : sys::fail(ENODATA, "open", unplanned.path, engine::kNoPlan));
  }
  return kOk;
}

Failure Container::refresh() {
  const Failure failure = engine::derive_status(state, has_plan ? &plan : nullptr, saved, status);
  return damaged && failure.code == EBADMSG ? kOk : failure;
}

Failure Container::check_owner() const {
  struct stat about {};
  if (::fstat(state.fd(), &about) != 0) {
    return sys::fail("fstat", state.path());
  }
  return about.st_uid == ::geteuid()
             ? kOk
             : sys::fail(EPERM, "open", state.path(),
                         "operation not permitted: the container belongs to another user");
}

int report_missing(Logger& log, const char* id, const Failure& failure) {
  char buffer[1024];
  sys::Text text(buffer);
  if (failure.code == EINVAL && failure.path == nullptr) {
    sys::Array<char> quoted;
    add_json_string(quoted, id);
    quoted.push(0);
    text.add("invalid container ID ").add(quoted.data());
    text.add(*id == 0 ? ": it is empty"
                      : ": it may hold letters, digits and \"_\", \"+\", \"-\", \".\" only, at most 255");
  } else if (failure.code == ENOENT) {
    text.add("container \"").add(id).add("\" does not exist");
  } else {
    text.add("container \"").add(id).add("\": ").add(Sentence("", failure).text);
    if (failure.code == EBADMSG) {
      text.add("; tsrunc delete --force ").add(id).add(" removes it");
    }
  }
  log.error(buffer);
  return 1;
}

}  // namespace tsrunc::launcher
