// Labels of mandatory access control: config.md "Linux Process" apparmorProfile and selinuxLabel, and the
// labels of config-linux.md "Mount Label" which are not mount options.
//
// What is written here takes effect at execve(2), and a child that init forks for a hook has it too
// (Documentation/admin-guide/LSM/apparmor.rst, proc_pid_attr(5)).
#include <sys/xattr.h>

#include <cstring>

#include "engine/init/init_context.h"
#include "engine/init/procfs.h"
#include "engine/init/root_path.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

constexpr char kAttributes[] = "/proc/self/attr";
constexpr char kExec[] = "/proc/self/attr/exec";
constexpr char kApparmorExec[] = "/proc/self/attr/apparmor/exec";
constexpr char kKeyCreate[] = "/proc/self/attr/keycreate";

// The name beneath kAttributes.
constexpr const char* name_of(const char* path) noexcept {
  return path + sizeof kAttributes;
}

Result<UniqueFd> open_attributes() noexcept {
  return open_in_proc(kAttributes + sizeof "/proc");
}

Failure write_attribute(const char* path, const wire::Str& value) noexcept {
  Result<UniqueFd> attributes = open_attributes();
  return attributes.ok() ? write_beneath(attributes->get(), name_of(path), value.data, value.size, path)
                         : attributes.failure();
}

// Linux 5.8 and later; before, the one file was for whichever module there is.
bool has_apparmor_file() noexcept {
  Result<UniqueFd> attributes = open_attributes();
  return attributes.ok() &&
         sys::openat2(attributes->get(), name_of(kApparmorExec), O_PATH, RESOLVE_BENEATH).ok();
}

// What the errors of apparmor(7)'s interface mean.
const char* apparmor_detail(int code) noexcept {
  switch (code) {
    case ENOENT:
      return "no such file or directory: the profile is not loaded; load it with apparmor_parser -r FILE "
             "(aa-status shows those that are)";
    case EACCES:
    case EPERM:
      return "permission denied: the profile that tsrunc runs in does not allow the change to this one "
             "(a rule change_profile)";
    case EINVAL:
      return "invalid argument: AppArmor does not take this as the name of a profile";
    default:
      return nullptr;
  }
}

const char* selinux_detail(int code) noexcept {
  switch (code) {
    case EINVAL:
      return "invalid argument: the policy that is loaded does not know this context";
    case EACCES:
    case EPERM:
      return "permission denied: the policy does not allow the domain that tsrunc runs in to set it";
    default:
      return nullptr;
  }
}

// The answer to a write is the security module's, and has its own meaning.
Failure explain(const Failure& failure, const char* detail) noexcept {
  const bool answer = failure && std::strcmp(failure.call, "write") == 0;
  return answer ? fail(failure.code, failure.call, failure.path, detail) : failure;
}

}  // namespace

Failure run(InitContext& context, const wire::SetApparmorProfile& op) noexcept {
  const Failure failure = write_attribute(has_apparmor_file() ? kApparmorExec : kExec, op.command);
  context.confinement = "AppArmor";
  return explain(failure, apparmor_detail(failure.code));
}

Failure run(InitContext& context, const wire::SetSelinuxLabel& op) noexcept {
  const Failure failure = write_attribute(kExec, op.label);
  context.confinement = "SELinux";
  return explain(failure, selinux_detail(failure.code));
}

Failure run(InitContext& /*context*/, const wire::SetKeyLabel& op) noexcept {
  // A write of nothing is no call of the security module; "\n" is its word for none (proc_pid_attr(5)).
  const wire::Str none{"\n", 1};
  const Failure failure = write_attribute(kKeyCreate, op.label.empty() ? none : op.label);
  return explain(failure, selinux_detail(failure.code));
}

Failure run(InitContext& context, const wire::SetFileLabel& op) noexcept {
  const char* path = op.path.data;
  Result<UniqueFd> file = open_in_root(context, path);
  if (!file.ok()) {
    return file.failure();
  }
  if (::setxattr(sys::FdPath(file->get()).text, "security.selinux", op.label.data, op.label.size, 0) == 0) {
    return kOk;
  }
  const int code = errno;
  // SELinux answers EACCES where its policy forbids it. EPERM is for an owner that the user namespace does
  // not map: then the kernel's own label stays, and engines ask for one all the same.
  if (code == EOPNOTSUPP || code == EPERM) {
    sys::Text(context.detail)
        .add("linux/mountLabel: the file system at ")
        .add(path)
        .add(code == EPERM ? " takes no label in a user namespace" : " takes no label");
    warn(context, context.detail);
    return kOk;
  }
  return fail(code, "setxattr", path, selinux_detail(code));
}

}  // namespace tsrunc::engine
