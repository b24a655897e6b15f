#include "engine/state_buffer.h"

#include <sys/mman.h>

#include "engine/engine.h"

namespace tsrunc::engine {

StateBuffer::~StateBuffer() {
  if (memory_ != nullptr) {
    (void)::munmap(memory_, size_);
  }
}

sys::Failure StateBuffer::format(const wire::Header& header, pid_t pid, const char* status,
                                 const char* created) noexcept {
  constexpr size_t kRest = 4096;
  size_ = kRest + header.oci_version_json.size + header.id_json.size + header.bundle_json.size +
          header.rootfs_json.size + header.annotations_json.size;
  memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED) {
    memory_ = nullptr;
    return sys::fail("mmap");
  }
  length_ = format_state(header, pid, status, created, static_cast<char*>(memory_), size_);
  return length_ > 0 ? sys::kOk : sys::fail(EOVERFLOW, "state", nullptr, "the state does not fit its buffer");
}

}  // namespace tsrunc::engine
