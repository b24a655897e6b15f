// A descriptor that node's event loop watches (uv.h, uv_poll_t).
#pragma once

#include <uv.h>

namespace tsrunc::addon {

// Made by new; it ends itself once libuv has let go of it.
class Watched {
 public:
  Watched(uv_loop_t* loop, int fd) noexcept : bad_(uv_poll_init(loop, &handle_, fd) != 0) {
    handle_.data = this;
  }
  virtual ~Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  Watched(Watched&&) = delete;
  Watched& operator=(Watched&&) = delete;

  // `events`: of uv_poll_event. False: it cannot be watched.
  [[nodiscard]] bool watch(int events) noexcept {
    return !bad_ && uv_poll_start(&handle_, events, on_event) == 0;
  }

  // The last thing that is done with it.
  void close() noexcept {
    if (bad_) {
      delete this;
      return;
    }
    (void)uv_poll_stop(&handle_);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
             [](uv_handle_t* handle) { delete static_cast<Watched*>(handle->data); });
  }

 protected:
  virtual void ready(bool failed, int events) = 0;

 private:
  static void on_event(uv_poll_t* handle, int status, int events) {
    static_cast<Watched*>(handle->data)->ready(status != 0, events);
  }

  uv_poll_t handle_{};
  bool bad_;
};

}  // namespace tsrunc::addon
