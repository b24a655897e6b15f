#include "launcher/monitor.h"

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/created_time.h"
#include "launcher/monitor_channel.h"
#include "launcher/monitor_clients.h"
#include "launcher/monitor_exit.h"
#include "launcher/monitor_input.h"
#include "launcher/monitor_log.h"
#include "launcher/monitor_order.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/scan.h"
#include "sys/small_file.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace tsrunc::launcher {
namespace {

using sys::UniqueFd;

constexpr int kFailed = 1;
// What a process that was left behind may still write is not waited for longer than this without a word of
// it.
constexpr int kQuietMilliseconds = 100;
// Behind the process's end: how long a reader may let the monitor wait for itself, and all of them together.
constexpr int64_t kReaderMilliseconds = 10000;
constexpr int64_t kDrainMilliseconds = 30000;
// A client that takes nothing for so long is dropped; all of them, when the exit was told.
constexpr int64_t kClientMilliseconds = 1000;
constexpr int64_t kFarewellMilliseconds = 5000;
constexpr int kTick = 50;

// What was read of this executable until now is not what a monitor needs; of a file, it comes back by itself.
void release_program_pages() noexcept {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(::getauxval(AT_PHDR));
  const size_t count = ::getauxval(AT_PHNUM);
  const auto page = static_cast<uintptr_t>(::getauxval(AT_PAGESZ));
  for (size_t i = 0; headers != nullptr && i < count; ++i) {
    const ElfW(Phdr)& one = headers[i];
    if (one.p_type == PT_LOAD && (one.p_flags & PF_W) == 0) {
      // elf(5): the headers themselves are at the file's offset 64, in the first segment.
      const uintptr_t base = reinterpret_cast<uintptr_t>(headers) - sizeof(ElfW(Ehdr));
      const uintptr_t from = (base + one.p_vaddr) & ~(page - 1);
      (void)::madvise(reinterpret_cast<void*>(from), base + one.p_vaddr + one.p_memsz - from, MADV_DONTNEED);
    }
  }
}

class Monitor final : public MonitorServices {
 public:
  explicit Monitor(const MonitorOrder& order) noexcept
      : order_(order),
        directory_(order.directory),
        pidfd_(order.pidfd),
        oom_(order.oom),
        signals_(order.signals),
        slave_(order.slave),
        input_(order.input, order.terminal, order.interactive),
        output_(kFrameOutput, order.output),
        error_(kFrameError, order.error),
        log_(order.log),
        clients_(UniqueFd(order.listener), order.directory) {}

  void run() {
    release_program_pages();
    while (!over()) {
      turn();
    }
  }

  [[nodiscard]] size_t take_input(const char* data, size_t size) noexcept override {
    return input_.take(data, size);
  }
  [[nodiscard]] size_t input_room() const noexcept override { return input_.room(); }
  void close_input(bool tell_terminal) noexcept override { input_.close(tell_terminal); }
  [[nodiscard]] bool resize(uint16_t rows, uint16_t columns) noexcept override {
    const winsize size{rows, columns, 0, 0};
    return slave_.valid() && ::ioctl(slave_.get(), TIOCSWINSZ, &size) == 0;
  }
  [[nodiscard]] bool has_terminal() const noexcept override { return order_.terminal; }

 private:
  void turn() noexcept {
    constexpr size_t kOutput = 2 + MonitorInput::kFds;
    constexpr size_t kError = kOutput + MonitorChannel::kFds;
    constexpr size_t kClients = kError + MonitorChannel::kFds;
    pollfd fds[kClients + MonitorClients::kFds];
    fds[0] = {signals_.get(), POLLIN, 0};
    fds[1] = {ended_ ? -1 : pidfd_.get(), POLLIN, 0};
    input_.want(fds + 2);
    output_.want(fds + kOutput);
    error_.want(fds + kError);
    clients_.want(fds + kClients, *this);
    // A channel that waits for somebody does not look at what more there is.
    const bool listens = !output_.waits() && !error_.waits();
    const int ready = ::poll(fds, sizeof fds / sizeof fds[0], timeout());
    if (ready > 0) {
      dispatch(fds, fds + 2, fds + kOutput, fds + kError, fds + kClients);
    }
    quiet_ = ready == 0 && listens;
    if (output_.waits() || error_.waits()) {
      output_.retry(clients_);
      error_.retry(clients_);
      if (!output_.waits_for_sink() && !error_.waits_for_sink() && (output_.waits() || error_.waits())) {
        clients_.drop_stuck(kClientMilliseconds);
      }
    }
    if (ended_ && !recorded_) {
      give_up_readers();
    }
  }

  void dispatch(const pollfd* own, const pollfd* input, const pollfd* output, const pollfd* error,
                const pollfd* clients) noexcept {
    clients_.move(clients, *this);
    input_.move(input);
    output_.move(output, clients_, log_);
    error_.move(error, clients_, log_);
    if (own[1].revents != 0) {
      notice_end();
    }
    if (own[0].revents != 0) {
      take_signals();
    }
  }

  [[nodiscard]] int timeout() const noexcept {
    if (recorded_ || output_.waits() || error_.waits()) {
      return kTick;
    }
    return ended_ ? kQuietMilliseconds : -1;
  }

  void take_signals() noexcept {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGCHLD) {
        reap_others();
      } else if (info.ssi_signo == SIGTERM) {
        // Of who removes the container. The end of the process is noted all the same.
        hurries_ = true;
      }
    }
  }

  // The orphans of the process, whose sub-reaper this is.
  void reap_others() noexcept {
    for (;;) {
      siginfo_t info{};
      if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
        return;
      }
      if (info.si_pid == order_.process.pid && !recorded_) {
        notice_end();
        return;  // the others are looked for behind it
      }
      (void)::waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
    }
  }

  // The process stays a zombie until its end is on record.
  void notice_end() noexcept {
    siginfo_t info{};
    if (ended_ ||
        ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info,
                 WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
      return;
    }
    ended_ = true;
    ended_at_ = sys::monotonic_ms();
    record_.pid = order_.process.pid;
    record_.code = info.si_code == CLD_EXITED ? info.si_status : -1;
    record_.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    record_.oom = count_oom_kills(oom_.get(), order_.oom_kills) > order_.oom_kills;
    engine::format_now(record_.time, sizeof record_.time);
    input_.end();
    slave_.reset();
  }

  void give_up_readers() noexcept {
    const int64_t now = sys::monotonic_ms();
    for (MonitorChannel* channel : {&output_, &error_}) {
      const int64_t since = channel->last_progress() > ended_at_ ? channel->last_progress() : ended_at_;
      const int64_t patience = hurries_ ? kTick : kReaderMilliseconds;
      if (channel->waits_for_sink() && (now - since >= patience || out_of_time(now))) {
        channel->give_sink_up();
      }
    }
  }

  [[nodiscard]] bool out_of_time(int64_t now) const noexcept {
    return now - ended_at_ >= (hurries_ ? kReaderMilliseconds / 10 : kDrainMilliseconds);
  }

  // All that the process has written is where it belongs.
  [[nodiscard]] bool drained() const noexcept {
    if (output_.ended() && error_.ended()) {
      return true;
    }
    return (quiet_ && !output_.waits() && !error_.waits()) || out_of_time(sys::monotonic_ms());
  }

  [[nodiscard]] bool over() noexcept {
    if (!ended_) {
      return false;
    }
    if (!recorded_) {
      if (!drained()) {
        return false;
      }
      record();
    }
    clients_.tell_exit(line_, line_size_);
    if (hurries_ || sys::monotonic_ms() - recorded_at_ >= kFarewellMilliseconds) {
      return true;
    }
    return clients_.none();
  }

  void record() noexcept {
    output_.read_out(clients_, log_);
    error_.read_out(clients_, log_);
    log_.finish();
    record_.lost = output_.lost() + error_.lost() + log_.lost();
    line_size_ = write_exit_line(record_, line_);
    // ENOENT: the container was deleted meanwhile. Who waits is told in any case.
    (void)save_exit(directory_.get(), line_, line_size_);
    recorded_ = true;
    recorded_at_ = sys::monotonic_ms();
    reap_others();
    clients_.close_door();
  }

  const MonitorOrder& order_;
  UniqueFd directory_;
  UniqueFd pidfd_;
  UniqueFd oom_;
  UniqueFd signals_;
  UniqueFd slave_;
  MonitorInput input_;
  MonitorChannel output_;
  MonitorChannel error_;
  MonitorLog log_;
  MonitorClients clients_;
  ExitRecord record_;
  char line_[kLongestExitLine] = {};
  size_t line_size_ = 0;
  int64_t ended_at_ = 0;
  int64_t recorded_at_ = 0;
  bool ended_ = false;
  bool recorded_ = false;
  bool hurries_ = false;
  bool quiet_ = false;
};

[[nodiscard]] bool read_order(const char* words, MonitorOrder& order) {
  int fd = -1;
  sys::Scan scan(words);
  if (!scan.number(fd).complete() || fd <= STDERR_FILENO) {
    return false;
  }
  const UniqueFd pipe(fd);
  return !sys::read_exactly(pipe.get(), &order, sizeof order, "a pipe") &&
         order.magic == MonitorOrder::kMagic &&
         !sys::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

}  // namespace

int run_monitor(const char* words) {
  MonitorOrder order;
  if (!read_order(words, order)) {
    return kFailed;
  }
  static Monitor monitor(order);
  monitor.run();
  return 0;
}

}  // namespace tsrunc::launcher
