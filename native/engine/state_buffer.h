// The OCI state as text, in memory of its own: annotations may make it large, and init has no heap.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "engine/hooks.h"
#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

class StateBuffer {
 public:
  StateBuffer() noexcept = default;
  ~StateBuffer();
  StateBuffer(const StateBuffer&) = delete;
  StateBuffer& operator=(const StateBuffer&) = delete;

  // `created`: time of creation or "".
  [[nodiscard]] sys::Failure format(const wire::Header& header, pid_t pid, const char* status,
                                    const char* created) noexcept;
  [[nodiscard]] HookInput input() const noexcept { return {static_cast<const char*>(memory_), length_}; }

 private:
  void* memory_ = nullptr;
  size_t size_ = 0;
  size_t length_ = 0;
};

}  // namespace tsrunc::engine
