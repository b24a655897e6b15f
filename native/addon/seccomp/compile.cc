#include "addon/seccomp/compile.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>

#include "addon/seccomp/enosys.h"
#include "addon/seccomp/library.h"
#include "launcher/sealed.h"

namespace tsrunc::addon {
namespace {

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

// src/plan/seccomp-filter.ts finds the line of the profile by this name.
constexpr char kAddArchitecture[] = "seccomp_arch_add";

[[nodiscard]] sys::Failure failed(int result, const char* call, const char* path) {
  return sys::Failure{-result, call, path, nullptr};
}

[[nodiscard]] sys::Failure add_architectures(const Filter& filter, const SeccompRequest& request) {
  for (const std::string& name : request.architectures) {
    const uint32_t arch = seccomp_architecture(name);
    if (arch == 0) {
      return sys::fail(EINVAL, kAddArchitecture, name.c_str(),

                       "this libseccomp does not know the architecture; tsrunc --version tells which it is");
    }
    const int result = seccomp_arch_add(filter.get(), arch);
    if (result == -EDOM) {
      return sys::fail(EINVAL, kAddArchitecture, name.c_str(), "its byte order is not that of this machine");
    }
    // -EEXIST: the native one is in from the start.
    if (result != 0 && result != -EEXIST) {
      return failed(result, kAddArchitecture, name.c_str());
    }
  }
  return sys::kOk;
}

[[nodiscard]] sys::Failure add_rule(const Filter& filter, const SeccompRule& rule, bool fail_unknown) {
  const int number = seccomp_syscall_resolve_name(rule.name.c_str());
  if (number == __NR_SCMP_ERROR) {
    return fail_unknown
               ? sys::fail(
                     ENOSYS, "seccomp_syscall_resolve_name", rule.name.c_str(),
                     "this libseccomp does not know the system call; tsrunc --version tells which it is")
               : sys::kOk;
  }
  std::vector<scmp_arg_cmp> conditions;
  conditions.reserve(rule.conditions.size());
  for (const SeccompCondition& condition : rule.conditions) {
    conditions.push_back(
        {condition.index, static_cast<scmp_compare>(condition.op), condition.value, condition.value_two});
  }
  const int result = seccomp_rule_add_array(filter.get(), rule.action, number,
                                            static_cast<unsigned>(conditions.size()), conditions.data());
  // -EEXIST: the same rule is in already, which profiles made by merging do.
  return result == 0 || result == -EEXIST ? sys::kOk
                                          : failed(result, "seccomp_rule_add_array", rule.name.c_str());
}

[[nodiscard]] sys::Failure build(const Filter& filter, const SeccompRequest& request) {
  TSRUNC_TRY(add_architectures(filter, request));
  // Its value is set where config.json says so, not by libseccomp.
  if (const int result = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0); result != 0) {
    return failed(result, "seccomp_attr_set", "SCMP_FLTATR_CTL_NNP");
  }
  if (request.optimize > 0) {
    const int result = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, request.optimize);
    if (result != 0) {
      return failed(result, "seccomp_attr_set", "SCMP_FLTATR_CTL_OPTIMIZE");
    }
  }
  for (const SeccompRule& rule : request.rules) {
    if (rule.action != request.default_action) {
      TSRUNC_TRY(add_rule(filter, rule, request.fail_unknown));
    }
  }
  return sys::kOk;
}

// libseccomp before 2.6 writes to descriptors only.
[[nodiscard]] sys::Failure append_exported(const Filter& filter, Program& out) {
  const auto memory = launcher::data_memfd("tsrunc-seccomp");
  if (!memory.ok()) {
    return memory.failure();
  }
  if (const int result = seccomp_export_bpf(filter.get(), memory->get()); result != 0) {
    return failed(result, "seccomp_export_bpf", nullptr);
  }
  const off_t size = ::lseek(memory->get(), 0, SEEK_CUR);
  if (size <= 0 || static_cast<size_t>(size) % sizeof(sock_filter) != 0) {
    return sys::fail(EIO, "seccomp_export_bpf", nullptr, "the exported program has an odd size");
  }
  const size_t before = out.size();
  out.resize(before + static_cast<size_t>(size) / sizeof(sock_filter));
  if (::pread(memory->get(), out.data() + before, static_cast<size_t>(size), 0) != size) {
    return sys::fail("pread", "a memfd");
  }
  return sys::kOk;
}

}  // namespace

sys::Failure compile_seccomp(const SeccompRequest& request, Program& out) {
  const Filter filter(seccomp_init(request.default_action));
  if (filter == nullptr) {
    return sys::fail(EINVAL, "seccomp_init", nullptr, "libseccomp or the kernel refuses the default action");
  }
  TSRUNC_TRY(build(filter, request));
  out = enosys_prologue(request);
  TSRUNC_TRY(append_exported(filter, out));
  if (out.size() > BPF_MAXINSNS) {
    return sys::fail(E2BIG, "seccomp_export_bpf", nullptr, "the filter has more than 4096 instructions");
  }
  return sys::kOk;
}

}  // namespace tsrunc::addon
