#include "engine/init/courier.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <new>

#include "engine/sync.h"

namespace tsrunc::engine {

enum class CourierStage : uint32_t { kIdle, kLoading, kDismissed, kLoaded, kReady, kFailed };

struct Courier {
  std::atomic<CourierStage> stage{CourierStage::kIdle};
  sys::UniqueFd sync;
  sys::UniqueFd console;
  int listener = -1;
  Message message;
  alignas(16) char stack[16 << 10];
};

namespace {

static_assert(std::atomic<CourierStage>::is_always_lock_free);

// One a process: init has no heap. Made when it is needed: an object would be made, and its memory touched,
// at the beginning of each process.
alignas(Courier) char the_courier[sizeof(Courier)];

// The thread shares errno with init, whose own calls may be failing at the same moment: nothing here may fail
// without ending the process.

void nap() noexcept {
  constexpr timespec kPause{0, 50'000};
  (void)::nanosleep(&kPause, nullptr);
}

// Waits a moment; ends the process when the host side is gone.
void nap_while_connected(int socket) noexcept {
  constexpr timespec kPause{0, 200'000};
  pollfd peer{socket, 0, 0};
  const int events = ::ppoll(&peer, 1, &kPause, nullptr);
  if (events > 0 || (events < 0 && errno != EINTR)) {
    ::_exit(1);
  }
}

void need(const sys::Failure& failure) noexcept {
  if (failure) {
    ::_exit(1);
  }
}

int run_courier(void* argument) noexcept {
  auto& courier = *static_cast<Courier*>(argument);
  while (courier.stage == CourierStage::kLoading) {
    nap();
  }
  if (courier.stage == CourierStage::kDismissed) {
    return 0;
  }
  {
    const sys::UniqueFd listener(courier.listener);
    need(send_step(courier.sync.get(), wire::Step::kFiltered, listener.get()));
  }
  while (courier.stage == CourierStage::kLoaded) {
    nap_while_connected(courier.sync.get());
  }
  if (courier.stage == CourierStage::kFailed) {
    (void)send_message(courier.sync.get(), courier.message);
    ::_exit(1);
  }
  {
    const sys::UniqueFd console = std::move(courier.console);
    need(send_step(courier.sync.get(), wire::Step::kReady, console.get()));
  }
  need(receive(courier.sync.get(), courier.message, nullptr));
  if (courier.message.type != MessageType::kStep ||
      courier.message.step != static_cast<uint32_t>(wire::Step::kCommitted)) {
    ::_exit(1);
  }
  courier.sync.reset();
  return 0;
}

}  // namespace

sys::Failure start_courier(InitContext& context) noexcept {
  Courier& courier = *new (the_courier) Courier;
  context.courier = &courier;
  courier.sync = std::move(context.sync);
  courier.console = std::move(context.console);
  courier.stage = CourierStage::kLoading;
  constexpr int kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  if (::clone(run_courier, courier.stack + sizeof courier.stack, kThread, &courier) < 0) {
    const int code = errno;
    dismiss_courier(context);
    return sys::fail(code, "clone", nullptr,
                     code == EAGAIN
                         ? "resource temporarily unavailable: handing the seccomp listener over takes a "
                           "second thread for a moment, does the pids limit allow 2?"
                         : nullptr);
  }
  return sys::kOk;
}

void dismiss_courier(InitContext& context) noexcept {
  Courier& courier = *context.courier;
  courier.stage = CourierStage::kDismissed;
  context.sync = std::move(courier.sync);
  context.console = std::move(courier.console);
  context.courier = nullptr;
}

void courier_loaded(InitContext& context, int listener) noexcept {
  context.courier->listener = listener;
  context.courier->stage = CourierStage::kLoaded;
}

void courier_ready(InitContext& context) noexcept {
  context.courier->stage = CourierStage::kReady;
  context.courier = nullptr;
}

void courier_failed(InitContext& context, const Message& message) noexcept {
  Courier& courier = *context.courier;
  courier.message = message;
  courier.stage = CourierStage::kFailed;
  for (;;) {
    // The courier ends the process at once; a system call of init might be one that the filter stops.
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
}

}  // namespace tsrunc::engine
