#include "engine/failure_text.h"

#include <cerrno>
#include <cstring>

#include "engine/errno_text.h"

namespace tsrunc::engine {
namespace {

[[nodiscard]] bool is_set(const char* text) noexcept {
  return text != nullptr && *text != 0;
}

[[nodiscard]] bool contains(const char* text, const char* part) noexcept {
  return is_set(text) && std::strstr(text, part) != nullptr;
}

}  // namespace

void add_failure(sys::Text& out, const char* what, const sys::Failure& failure) noexcept {
  if (is_set(what)) {
    out.add(what).add(": ");
  }
  // What the sentence says already, or a detail says again, is left out.
  const bool path = is_set(failure.path) && !contains(failure.detail, failure.path);
  const bool told = is_set(failure.path) && contains(what, failure.path);
  // These two are said of the call rather than of what it was tried on.
  const bool of_call =
      (failure.code == ENOSYS || failure.code == EPERM) && is_set(failure.call) && !is_set(failure.detail);
  if (is_set(failure.call) && (of_call || (!told && (path || !is_set(failure.detail))))) {
    out.add(failure.call);
    if (path && !told) {
      out.add(" ").add(failure.path);
    }
    out.add(": ");
  }
  out.add(is_set(failure.detail) ? failure.detail : errno_text(failure.code));
  if (const char* name = errno_name(failure.code); name != nullptr) {
    out.add(" (").add(name).add(")");
  }
  if (of_call && failure.code == ENOSYS) {
    out.add(
        ": tsrunc needs Linux 5.12, and where it runs in a container, a system call filter that allows this");
  }
}

const wire::Op* op_of(const wire::Plan& plan, const FailureRecord& record) noexcept {
  if (record.list >= wire::kListCount || record.op >= plan.lists[record.list].count) {
    return nullptr;
  }
  return &plan.lists[record.list].items[record.op];
}

void add_record(sys::Text& out, const wire::Plan& plan, const FailureRecord& record) noexcept {
  const wire::Op* op = op_of(plan, record);
  add_failure(out, op == nullptr ? "" : op->what.data,
              {record.code, record.call, record.path, record.detail});
  if (is_set(record.pointer)) {
    out.add(" (config.json ").add(record.pointer).add(")");
  } else if (op != nullptr && !op->pointer.empty()) {
    out.add(" (config.json ").add(op->pointer.data).add(record.suffix).add(")");
  }
}

}  // namespace tsrunc::engine
