// attachDeviceFilter: the devices controller of cgroup version 2 is an eBPF program
// (Documentation/admin-guide/ cgroup-v2.rst "Device controller"). bpf(2) by itself: two calls do not need a
// library.
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "engine/errno_text.h"
#include "engine/host_context.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr char kLicense[] = "Apache-2.0";
constexpr uint32_t kLogSize = 65536;

[[nodiscard]] int bpf(int command, bpf_attr& attributes) noexcept {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

[[nodiscard]] uint64_t address(const void* pointer) noexcept {
  return reinterpret_cast<uintptr_t>(pointer);
}

[[nodiscard]] UniqueFd load(const wire::Bytes& program, char* log, uint32_t log_size) noexcept {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address(program.data);
  attributes.insn_cnt = program.size / sizeof(bpf_insn);
  attributes.license = address(kLicense);
  attributes.log_level = log_size > 0 ? 1 : 0;
  attributes.log_buf = address(log);
  attributes.log_size = log_size;
  return UniqueFd(bpf(BPF_PROG_LOAD, attributes));
}

// Before Linux 5.11 programs were charged to RLIMIT_MEMLOCK, whose default is small: EPERM.
[[nodiscard]] UniqueFd load_with_memory(const wire::Bytes& program) noexcept {
  rlimit old{};
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (::getrlimit(RLIMIT_MEMLOCK, &old) != 0 || ::setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0) {
    errno = EPERM;
    return {};
  }
  UniqueFd fd = load(program, nullptr, 0);
  const int code = errno;
  (void)::setrlimit(RLIMIT_MEMLOCK, &old);
  errno = code;
  return fd;
}

// An error is one line.
void add_line(sys::Text& out, const char* text) noexcept {
  for (; *text != 0; ++text) {
    const bool newline = *text == '\n';
    if (!newline || text[1] != 0) {
      out.add(newline ? "; " : text, newline ? 2 : 1);
    }
  }
}

// The last lines of the verifier's log are the ones that say why.
[[nodiscard]] Failure refused(HostContext& context, const wire::AttachDeviceFilter& op, int code) {
  static char log[kLogSize];
  log[0] = 0;
  (void)load(op.program, log, sizeof log);
  sys::Text text(context.detail);
  text.add("the kernel refuses the device filter: ").add(errno_text(code));
  const size_t length = std::strlen(log);
  const size_t room = sizeof context.detail - text.size() - 32;
  if (length > 0) {
    text.add("; verifier: ");
    add_line(text, length > room ? log + length - room : log);
  }
  return sys::fail(code, "bpf", op.path.data, context.detail);
}

}  // namespace

Failure run(HostContext& context, const wire::AttachDeviceFilter& op) {
  // The plan's bytes have no alignment; the kernel copies them from anywhere.
  if (op.program.size == 0 || op.program.size % sizeof(bpf_insn) != 0) {
    return sys::fail(EINVAL, "bpf", op.path.data, "the device filter is not a list of eBPF instructions");
  }
  const UniqueFd dir(::open(op.path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) {
    return sys::fail("open", op.path.data);
  }
  UniqueFd program = load(op.program, nullptr, 0);
  if (!program.valid() && errno == EPERM) {
    program = load_with_memory(op.program);
  }
  if (!program.valid()) {
    return refused(context, op, errno);
  }
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(dir.get());
  attributes.attach_bpf_fd = static_cast<uint32_t>(program.get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  // The filters of the cgroups above keep their say, and one made beneath may be added.
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  return bpf(BPF_PROG_ATTACH, attributes) == 0 ? kOk : sys::fail("bpf", op.path.data);
}

}  // namespace tsrunc::engine
