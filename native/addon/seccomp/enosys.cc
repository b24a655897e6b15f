#include "addon/seccomp/enosys.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "addon/seccomp/library.h"

namespace tsrunc::addon {
namespace {

// x32 shares its audit architecture with x86-64 and is told apart by this bit of the number.
constexpr uint32_t kX32Bit = 0x40000000;

// The highest system call number that the profile knows, for one value of seccomp_data.arch.
struct Newest {
  uint32_t audit_arch;
  int64_t plain;  // -1: the architecture is not in the profile
  int64_t x32;
};

[[nodiscard]] bool lets_through(uint32_t action) {
  const uint32_t kind = action & SECCOMP_RET_ACTION_FULL;
  return kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG || kind == SECCOMP_RET_TRACE;
}

[[nodiscard]] int64_t newest_of(const SeccompRequest& request, uint32_t arch) {
  int64_t newest = -1;
  for (const SeccompRule& rule : request.rules) {
    // Negative: unknown, or a pseudo number of a call that this architecture reaches through another one.
    newest = std::max<int64_t>(newest, seccomp_syscall_resolve_name_arch(arch, rule.name.c_str()));
  }
  return newest;
}

[[nodiscard]] std::vector<Newest> newest_by_arch(const SeccompRequest& request) {
  std::vector<uint32_t> archs{seccomp_arch_native()};
  for (const std::string& name : request.architectures) {
    const uint32_t arch = seccomp_architecture(name);
    if (arch != 0 && std::find(archs.begin(), archs.end(), arch) == archs.end()) {
      archs.push_back(arch);
    }
  }
  std::vector<Newest> out;
  for (const uint32_t arch : archs) {
    const int64_t newest = newest_of(request, arch);
    if (newest < 0) {
      continue;
    }
    const bool is_x32 = arch == SCMP_ARCH_X32;
    const uint32_t audit = is_x32 ? uint32_t{AUDIT_ARCH_X86_64} : arch;
    auto entry =
        std::find_if(out.begin(), out.end(), [&](const Newest& known) { return known.audit_arch == audit; });
    if (entry == out.end()) {
      entry = out.insert(out.end(), {audit, -1, -1});
    }
    (is_x32 ? entry->x32 : entry->plain) = is_x32 ? newest | kX32Bit : newest;
  }
  return out;
}

// s390 and s390x hand the number of a system call above 255 over in a register and enter by number 0, once
// setup(2). If the kernel does not know the number, seccomp sees that 0 (arch/s390/kernel/syscall.c).
[[nodiscard]] bool is_s390(uint32_t audit_arch) {
  return audit_arch == AUDIT_ARCH_S390 || audit_arch == AUDIT_ARCH_S390X;
}

// One architecture:
//        jeq ARCH, next, end of section
//        ld  nr
//        jeq 0, to ENOSYS                      (s390 only)
//        jge x32 bit, to the x32 test          (x86-64 only)
//        jgt newest, to ENOSYS, to the filter
//        jgt newest of x32, to ENOSYS, to the filter
//        ja  to the filter
//        ret ENOSYS
// An unnamed ABI has a test that nothing passes. `filter_jumps` collects the jumps to patch.
void append_section(const Newest& newest, Program& out, std::vector<size_t>& filter_jumps) {
  const bool x86 = newest.audit_arch == AUDIT_ARCH_X86_64;
  const auto limit = [](int64_t value) { return value < 0 ? ~0U : static_cast<uint32_t>(value); };
  const bool s390 = is_s390(newest.audit_arch);
  const uint8_t rest = x86 ? 6 : s390 ? 5 : 4;
  out.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, newest.audit_arch, 0, rest));
  out.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  if (x86) {
    out.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 1, 0));
    out.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, limit(newest.plain), 2, 1));
    out.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, limit(newest.x32), 1, 0));
  } else {
    if (s390) {
      out.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0));
    }
    out.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, limit(newest.plain), 1, 0));
  }
  filter_jumps.push_back(out.size());
  out.push_back(BPF_STMT(BPF_JMP | BPF_JA, 0));
  out.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
}

}  // namespace

Program enosys_prologue(const SeccompRequest& request) {
  const bool already = request.default_action == SCMP_ACT_ERRNO(ENOSYS);
  const std::vector<Newest> newest =
      lets_through(request.default_action) || already ? std::vector<Newest>{} : newest_by_arch(request);
  Program out;
  if (newest.empty()) {
    return out;
  }
  std::vector<size_t> filter_jumps;
  out.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  for (const Newest& one : newest) {
    append_section(one, out, filter_jumps);
  }
  for (const size_t at : filter_jumps) {
    out[at].k = static_cast<uint32_t>(out.size() - at - 1);
  }
  return out;
}

}  // namespace tsrunc::addon
