#include "launcher/kept_call.h"

#include <fcntl.h>

#include <string_view>
#include <utility>

#include "engine/trace.h"
#include "launcher/asked.h"
#include "launcher/become_in_place.h"
#include "launcher/kept_plans.h"
#include "launcher/planner_client.h"
#include "launcher/planner_request.h"
#include "launcher/sealed.h"
#include "launcher/trace_file.h"
#include "launcher/warm.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

constexpr char kSelf[] = "/proc/self/exe";
constexpr int kNoSocket = -1;

[[nodiscard]] bool find_reply(const char* root, const sys::Array<char>& request, PlannerReply& out,
                              sys::Array<char>& considered) {
  const engine::Span span("plan", "look for a kept plan");
  const std::string_view asked(request.data(), request.size());
  KeptPlans plans;
  sys::Array<char> bytes;
  if (!plans.open(root)) {
    return false;
  }
  if (plans.find(asked, bytes)) {
    return read_reply({bytes.data(), bytes.size()}, out);
  }
  if (plans.note(asked)) {
    considered.append(request.data(), request.size());
  }
  return false;
}

}  // namespace

int run_kept(int argc, char** argv, const PlannerCall& call, const char* root, sys::Array<char>& considered) {
  // Limits are made of those in force, which are asked for while they are planned.
  if (call.kind == PlanKind::kLimits || !KeptPlans::are_possible(root)) {
    return kNotPlanned;
  }
  const sys::Array<char> no_input;
  sys::Array<char> request;
  if (!compose_request(argc, argv, call, {root, kNoSocket, no_input}, request) ||
      (call.trace != nullptr && open_trace(call.trace, call.verb))) {
    return kNotPlanned;
  }
  PlannerReply reply;
  if (!find_reply(root, request, reply, considered)) {
    return kNotPlanned;
  }
  sys::UniqueFd self(::open(kSelf, O_PATH | O_CLOEXEC));
  if (!self.valid()) {
    return kNotPlanned;
  }
  {
    const engine::Span span("launch", "become a sealed copy");
    const auto copy = sealed_executable(kSelf);
    if (!copy.ok() || !become_in_place(copy->get())) {
      return kNotPlanned;  // node has another way
    }
  }
  return run_reply(argc, argv, call, reply, {}, std::move(self));
}

}  // namespace tsrunc::launcher
