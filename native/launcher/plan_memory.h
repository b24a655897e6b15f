// A plan in the memory of this process, for as long as it acts on it.
#pragma once

#include <cstddef>

#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::launcher {

class PlanMemory {
 public:
  PlanMemory() noexcept = default;
  ~PlanMemory();
  PlanMemory(const PlanMemory&) = delete;
  PlanMemory& operator=(const PlanMemory&) = delete;

  // Maps and decodes the memfd `fd`, which must be sealed: nobody may change a plan that is being run.
  [[nodiscard]] sys::Failure load(int fd, wire::Plan& out);
  // Decodes `bytes`, which stay where they are as long as this does: the plan points into them.
  [[nodiscard]] sys::Failure decode(const void* bytes, size_t size, wire::Plan& out);

 private:
  void* plan_ = nullptr;
  size_t plan_size_ = 0;
  void* arena_ = nullptr;
  size_t arena_size_ = 0;
};

}  // namespace tsrunc::launcher
