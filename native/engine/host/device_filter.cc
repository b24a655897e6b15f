// attachDeviceFilter: the devices controller of cgroup version 2 is an eBPF program
// (Documentation/admin-guide/ cgroup-v2.rst "Device controller"). bpf(2) by itself: two calls do not need a
// library.
#include "engine/host/device_filter.h"

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
// By it an update knows its own among the filters that systemd and others attach.
constexpr char kName[] = "tsrunc_devices";
static_assert(sizeof kName <= BPF_OBJ_NAME_LEN);
constexpr uint32_t kMostFilters = 64;  // BPF_CGROUP_MAX_PROGS

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
  std::memcpy(attributes.prog_name, kName, sizeof kName);
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
[[nodiscard]] Failure refused(HostContext& context, const char* path, const wire::Bytes& program, int code) {
  static char log[kLogSize];
  log[0] = 0;
  (void)load(program, log, sizeof log);
  sys::Text text(context.detail);
  text.add("the kernel refuses the device filter: ").add(errno_text(code));
  const size_t length = std::strlen(log);
  const size_t room = sizeof context.detail - text.size() - 32;
  if (length > 0) {
    text.add("; verifier: ");
    add_line(text, length > room ? log + length - room : log);
  }
  return sys::fail(code, "bpf", path, context.detail);
}

template <typename Op>
[[nodiscard]] Failure load_program(HostContext& context, const Op& op, UniqueFd& program) {
  // The plan's bytes have no alignment; the kernel copies them from anywhere.
  if (op.program.size == 0 || op.program.size % sizeof(bpf_insn) != 0) {
    return sys::fail(EINVAL, "bpf", op.path.data, "the device filter is not a list of eBPF instructions");
  }
  program = load(op.program, nullptr, 0);
  if (!program.valid() && errno == EPERM) {
    program = load_with_memory(op.program);
  }
  return program.valid() ? kOk : refused(context, op.path.data, op.program, errno);
}

// `replaced`: the filter whose place it takes, or -1.
[[nodiscard]] Failure attach(const char* path, int dir, int program, int replaced) noexcept {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(dir);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  // The filters of the cgroups above keep their say, and one made beneath may be added.
  attributes.attach_flags = BPF_F_ALLOW_MULTI | (replaced < 0 ? 0U : BPF_F_REPLACE);
  attributes.replace_bpf_fd = replaced < 0 ? 0 : static_cast<uint32_t>(replaced);
  return bpf(BPF_PROG_ATTACH, attributes) == 0 ? kOk : sys::fail("bpf", path);
}

[[nodiscard]] Failure detach(const char* path, int dir, int program) noexcept {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(dir);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  return bpf(BPF_PROG_DETACH, attributes) == 0 ? kOk : sys::fail("bpf", path);
}

[[nodiscard]] bool is_own(int program) noexcept {
  bpf_prog_info info{};
  bpf_attr attributes{};
  attributes.info.bpf_fd = static_cast<uint32_t>(program);
  attributes.info.info_len = sizeof info;
  attributes.info.info = address(&info);
  return bpf(BPF_OBJ_GET_INFO_BY_FD, attributes) == 0 && std::strcmp(info.name, kName) == 0;
}

// The filter that create attached; invalid: there is none.
[[nodiscard]] Failure find_own(const char* path, int dir, UniqueFd& own) noexcept {
  uint32_t ids[kMostFilters] = {};
  bpf_attr query{};
  query.query.target_fd = static_cast<uint32_t>(dir);
  query.query.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = address(ids);
  query.query.prog_cnt = kMostFilters;
  if (bpf(BPF_PROG_QUERY, query) != 0) {
    return sys::fail("bpf", path);
  }
  for (uint32_t i = 0; i < query.query.prog_cnt && i < kMostFilters; ++i) {
    bpf_attr attributes{};
    attributes.prog_id = ids[i];
    UniqueFd program(bpf(BPF_PROG_GET_FD_BY_ID, attributes));
    if (program.valid() && is_own(program.get())) {
      own = std::move(program);
      return kOk;
    }
  }
  return kOk;
}

[[nodiscard]] UniqueFd open_directory(const char* path) noexcept {
  return UniqueFd(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

Failure swap_device_filter(const char* path, int old_program, int new_program) noexcept {
  const UniqueFd dir = open_directory(path);
  if (!dir.valid()) {
    return sys::fail("open", path);
  }
  if (new_program >= 0) {
    return attach(path, dir.get(), new_program, old_program);
  }
  return old_program >= 0 ? detach(path, dir.get(), old_program) : kOk;
}

Failure run(HostContext& context, const wire::AttachDeviceFilter& op) {
  UniqueFd program;
  TSRUNC_TRY(load_program(context, op, program));
  return swap_device_filter(op.path.data, -1, program.get());
}

Failure run(HostContext& context, const wire::ReplaceDeviceFilter& op) {
  UniqueFd program;
  if (op.program.size != 0) {
    TSRUNC_TRY(load_program(context, op, program));
  }
  const UniqueFd dir = open_directory(op.path.data);
  if (!dir.valid()) {
    return sys::fail("open", op.path.data);
  }
  UniqueFd own;
  TSRUNC_TRY(find_own(op.path.data, dir.get(), own));
  TSRUNC_TRY(swap_device_filter(op.path.data, own.get(), program.get()));
  context.cgroup_undo.note_filter(op.path.data, std::move(own), std::move(program));
  return kOk;
}

}  // namespace tsrunc::engine
