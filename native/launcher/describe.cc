#include "launcher/describe.h"

#include "engine/failure_text.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

[[nodiscard]] sys::Text room_for_text(sys::Array<char>& room) noexcept {
  constexpr size_t kMost = 8192;
  room.resize(kMost);
  return {room.data(), kMost};
}

}  // namespace

Sentence::Sentence(const wire::Plan& plan, const engine::FailureRecord& record) noexcept {
  sys::Text out = room_for_text(room_);
  engine::add_record(out, plan, record);
  text = out.c_str();
}

Sentence::Sentence(const char* what, const sys::Failure& failure) noexcept {
  sys::Text out = room_for_text(room_);
  engine::add_failure(out, what, failure);
  text = out.c_str();
}

}  // namespace tsrunc::launcher
