#include "launcher/handoff.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "launcher/sealed.h"
#include "sys/scan.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

constexpr int kLastSignal = 64;
constexpr unsigned kHex = 16;
constexpr char kMagic[] = "tsrunc-handoff 1\n";

// Of what is no error code, and so never negative.
[[nodiscard]] constexpr uint64_t number(int value) noexcept {
  return static_cast<uint64_t>(value);
}

// The kernel's own signal set. glibc's sigset_t calls refuse the two real-time signals that it keeps for
// itself, yet a caller may have blocked or ignored them.
using SignalSet = uint64_t;

[[nodiscard]] constexpr SignalSet bit_of(int signal) noexcept {
  return SignalSet{1} << (signal - 1);
}

// The kernel's struct sigaction, for the same reason. The handler comes first on every architecture that
// tsrunc knows.
struct KernelAction {
  uintptr_t handler;
  unsigned long flags;  // NOLINT(google-runtime-int): the kernel's type
  uintptr_t restorer;
  SignalSet mask;
};
constexpr uintptr_t kDefault = 0;
constexpr uintptr_t kIgnore = 1;

[[nodiscard]] bool get_action(int signal, KernelAction& action) noexcept {
  return ::syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask) == 0;
}

[[nodiscard]] bool set_action(int signal, const KernelAction& action) noexcept {
  return ::syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask) == 0;
}

// The record while it is composed. A caller may hold any number of descriptors, so that it is written in
// pieces.
class RecordWriter {
 public:
  explicit RecordWriter(int fd) noexcept : fd_(fd) {}

  // `compose` adds the line to the sys::Text that it is given.
  template <typename Compose>
  [[nodiscard]] sys::Failure line(Compose compose) noexcept {
    if (sizeof buffer_ - used_ < kLongestLine) {
      TSRUNC_TRY(flush());
    }
    sys::Text text(buffer_ + used_, sizeof buffer_ - used_);
    compose(text);
    used_ += text.size();
    return sys::kOk;
  }

  [[nodiscard]] sys::Failure flush() noexcept {
    size_t done = 0;
    while (done < used_) {
      const ssize_t written = ::write(fd_, buffer_ + done, used_ - done);
      if (written < 0 && errno != EINTR) {
        return sys::fail("write", "the record of the caller");
      }
      done += written > 0 ? static_cast<size_t>(written) : 0;
    }
    used_ = 0;
    return sys::kOk;
  }

 private:
  static constexpr size_t kLongestLine = 96;
  int fd_;
  size_t used_ = 0;
  char buffer_[4096];
};

// Gives each descriptor of this process to `take`, but the one by which they are listed. readdir(3) would ask
// for 32 KiB of memory first.
template <typename Take>
[[nodiscard]] sys::Failure each_descriptor(Take take) noexcept {
  constexpr char kPath[] = "/proc/self/fd";
  const sys::UniqueFd directory(::open(kPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return sys::fail("open", kPath);
  }
  for (;;) {
    alignas(dirent64) char buffer[1024];
    const ssize_t got = ::getdents64(directory.get(), buffer, sizeof buffer);
    if (got <= 0) {
      return got == 0 ? sys::kOk : sys::fail("getdents64", kPath);
    }
    for (ssize_t at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      at += entry->d_reclen;
      const int fd = entry->d_name[0] == '.' ? directory.get() : std::atoi(entry->d_name);
      if (fd != directory.get()) {
        TSRUNC_TRY(take(fd));
      }
    }
  }
}

// A memfd that is not one of the standard streams, even where the caller has closed those: node would take it
// for one.
[[nodiscard]] sys::Result<sys::UniqueFd> new_record() noexcept {
  auto memory = data_memfd("tsrunc-handoff");
  if (!memory.ok() || memory->get() > STDERR_FILENO) {
    return memory;
  }
  sys::UniqueFd record(::fcntl(memory->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!record.valid()) {
    return sys::fail("fcntl", "the record of the caller");
  }
  return record;
}

[[nodiscard]] sys::Failure note_descriptors(RecordWriter& out, int record) noexcept {
  return each_descriptor([&](int fd) -> sys::Failure {
    if (fd == record) {
      return sys::kOk;
    }
    const int status = ::fcntl(fd, F_GETFL);
    const int flags = ::fcntl(fd, F_GETFD);
    if (status < 0 || flags < 0) {
      // A descriptor that is not noted would be closed, and be it the caller's output.
      return sys::fail("fcntl", "a descriptor of the caller");
    }
    return out.line([&](sys::Text& text) {
      text.add("fd ").add(number(fd)).add(" ").add(number(status)).add(" ").add(number(flags)).add("\n");
    });
  });
}

[[nodiscard]] SignalSet ignored_signals() noexcept {
  SignalSet ignored = 0;
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    KernelAction action{};
    if (get_action(signal, action) && action.handler == kIgnore) {
      ignored |= bit_of(signal);
    }
  }
  return ignored;
}

// The whole record as NUL-terminated text. The heap is allowed: both programs that read it have one.
struct Free {
  void operator()(char* text) const noexcept { std::free(text); }
};
using Text = std::unique_ptr<char, Free>;

[[nodiscard]] sys::Failure read_record(int fd, Text& out) noexcept {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  if (size < 0) {
    return sys::fail("lseek", "the record of the caller");
  }
  out.reset(static_cast<char*>(std::calloc(static_cast<size_t>(size) + 1, 1)));
  char* text = out.get();
  if (text == nullptr) {
    return sys::fail(ENOMEM, "calloc", "the record of the caller", nullptr);
  }
  off_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, text + done, static_cast<size_t>(size - done), done);
    if (got == 0 || (got < 0 && errno != EINTR)) {
      return sys::fail("pread", "the record of the caller");
    }
    done += got > 0 ? got : 0;
  }
  if (std::strncmp(text, kMagic, sizeof kMagic - 1) != 0) {
    return sys::fail(EINVAL, "read", "the record of the caller", "it is not a record of tsrunc");
  }
  return sys::kOk;
}

// Everything that node opened or was given is marked close-on-exec first, so that what the caller did not
// have is gone after execve; node also opens /dev/null where 0, 1 or 2 were closed.
[[nodiscard]] sys::Failure mark_all_close_on_exec() noexcept {
  if (::syscall(SYS_close_range, 0U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
    return sys::kOk;
  }
  return each_descriptor([](int fd) -> sys::Failure {
    (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);  // EBADF: closed since it was listed
    return sys::kOk;
  });
}

[[nodiscard]] sys::Failure restore_descriptor(const char* line) noexcept {
  int fd = -1;
  int status = 0;
  int flags = 0;
  if (!sys::Scan(line).word("fd ").number(fd).word(" ").number(status).word(" ").number(flags).complete()) {
    return sys::fail(EINVAL, "read", "the record of the caller", "it has a malformed line");
  }
  // The status belongs to the open file, which others may share: it is touched only where it differs.
  constexpr int kSettable = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;
  const int now = ::fcntl(fd, F_GETFL);
  if (now < 0) {
    return sys::fail("fcntl", "a descriptor of the caller");
  }
  if (((now ^ status) & kSettable) != 0 && ::fcntl(fd, F_SETFL, status) != 0) {
    return sys::fail("fcntl", "a descriptor of the caller");
  }
  if (::fcntl(fd, F_SETFD, flags) != 0) {
    return sys::fail("fcntl", "a descriptor of the caller");
  }
  return sys::kOk;
}

[[nodiscard]] sys::Failure restore_actions(SignalSet ignored) noexcept {
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) {
      continue;
    }
    KernelAction action{};
    action.handler = (ignored & bit_of(signal)) != 0 ? kIgnore : kDefault;
    if (!set_action(signal, action)) {
      return sys::fail("rt_sigaction");
    }
  }
  return sys::kOk;
}

[[nodiscard]] sys::Failure restore_line(const char* line, SignalSet& mask) noexcept {
  rlimit limit{};
  SignalSet ignored = 0;
  uint64_t soft = 0;
  uint64_t hard = 0;
  if (std::strncmp(line, "fd ", 3) == 0) {
    return restore_descriptor(line);
  }
  if (sys::Scan(line).word("nofile ").number(soft).word(" ").number(hard).complete()) {
    limit.rlim_cur = soft;
    limit.rlim_max = hard;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? sys::kOk : sys::fail("setrlimit", "RLIMIT_NOFILE");
  }
  if (sys::Scan(line).word("ignored ").number(ignored, kHex).complete()) {
    return restore_actions(ignored);
  }
  (void)sys::Scan(line).word("mask ").number(mask, kHex);
  return sys::kOk;
}

}  // namespace

sys::Result<sys::UniqueFd> note_caller() {
  auto record = new_record();
  if (!record.ok()) {
    return record;
  }
  rlimit files{};
  SignalSet mask = 0;
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return sys::fail("getrlimit", "RLIMIT_NOFILE");
  }
  if (::syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, sizeof mask) != 0) {
    return sys::fail("rt_sigprocmask");
  }
  const auto write_all = [&]() -> sys::Failure {
    RecordWriter out(record->get());
    TSRUNC_TRY(out.line([&](sys::Text& text) {
      text.add(kMagic).add("pid ").add(number(::getpid())).add("\nnofile ").add(uint64_t{files.rlim_cur});
      text.add(" ").add(uint64_t{files.rlim_max}).add("\n");
    }));
    TSRUNC_TRY(out.line([&](sys::Text& text) {
      text.add("mask ").add(mask, kHex).add("\nignored ").add(ignored_signals(), kHex).add("\n");
    }));
    TSRUNC_TRY(note_descriptors(out, record->get()));
    return out.flush();
  };
  if (const sys::Failure failure = write_all(); failure) {
    return failure;
  }
  if (const sys::Failure failure = seal(record->get()); failure) {
    return failure;
  }
  if (::fcntl(record->get(), F_SETFD, 0) != 0) {
    return sys::fail("fcntl", "the record of the caller");
  }
  return record;
}

sys::Failure add_caller(sys::Array<char>& out, int own) {
  char buffer[96];
  const auto add = [&](const sys::Text& line) { out.append(line.c_str(), line.size()); };
  add(sys::Text(buffer).add(kMagic).add("pid ").add(number(::getpid())).add("\n"));
  return each_descriptor([&](int fd) -> sys::Failure {
    if (fd != own) {
      add(sys::Text(buffer).add("fd ").add(number(fd)).add("\n"));
    }
    return sys::kOk;
  });
}

sys::Failure restore_caller(int fd) {
  Text record;
  TSRUNC_TRY(read_record(fd, record));
  TSRUNC_TRY(mark_all_close_on_exec());
  // The mask is the last thing: nothing that is pending may be delivered while dispositions are half
  // restored.
  SignalSet mask = 0;
  for (char* line = record.get() + sizeof kMagic - 1; *line != '\0';) {
    char* end = std::strchr(line, '\n');
    if (end == nullptr) {
      return sys::fail(EINVAL, "read", "the record of the caller", "it is cut off");
    }
    *end = '\0';
    TSRUNC_TRY(restore_line(line, mask));
    line = end + 1;
  }
  if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask) != 0) {
    return sys::fail("rt_sigprocmask");
  }
  return sys::kOk;
}

}  // namespace tsrunc::launcher
