#include "addon/repeated_plans.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "launcher/repeated_plan.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::addon {
namespace {

using launcher::RepeatedPlan;

constexpr size_t kMost = 16;
// Of a request and its reply; longer ones are planned for each time.
constexpr size_t kMostBytes = size_t{1} << 20;

[[nodiscard]] std::string_view view_of(const sys::Array<char>& bytes) noexcept {
  return {bytes.data(), bytes.size()};
}

}  // namespace

sys::Array<char> entry_of(const RepeatedPlans::Plan& plan) {
  sys::Array<char> entry;
  if (plan.message.size() + plan.reply.size() > kMostBytes) {
    return entry;
  }
  std::vector<launcher::RepeatedWord> words;
  std::vector<uint32_t> places;
  for (const RepeatedPlans::Word& word : plan.words) {
    words.push_back({static_cast<uint32_t>(word.index), word.is_path ? 1U : 0U,
                     static_cast<uint32_t>(places.size()), static_cast<uint32_t>(word.places.size())});
    places.insert(places.end(), word.places.begin(), word.places.end());
  }
  sys::Array<char> looks;
  for (const RepeatedPlans::Look& look : plan.looks) {
    launcher::add_look(looks, look.path, look.text);
  }
  for (const std::string& file : plan.files) {
    launcher::add_identity_look(looks, file);
  }
  launcher::add_entry(entry, {words.data(), words.size(), places.data(), places.size(), view_of(looks),
                              plan.message, plan.reply});
  RepeatedPlan read;
  if (!read.read(view_of(entry)) || !read.is_sound()) {
    entry.clear();
  }
  return entry;
}

void RepeatedPlans::forget() noexcept {
  plans_.clear();
  ++facts_;
}

void RepeatedPlans::keep(const Plan& plan, uint64_t facts) {
  sys::Array<char> entry = entry_of(plan);
  if (facts != facts_ || entry.empty()) {
    return;
  }
  plans_.remove_if([&](const sys::Array<char>& one) {
    RepeatedPlan kept;
    return kept.read(view_of(one)) && kept.is_for(plan.message);
  });
  plans_.push_front(std::move(entry));
  if (plans_.size() > kMost) {
    plans_.pop_back();
  }
}

std::string_view RepeatedPlans::find(std::string_view message, pid_t caller) {
  RepeatedPlan plan;
  const auto found = std::find_if(plans_.begin(), plans_.end(), [&](const sys::Array<char>& one) {
    return plan.read(view_of(one)) && plan.is_for(message);
  });
  if (found == plans_.end()) {
    return {};
  }
  char path[64];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(caller));
  const sys::UniqueFd directory(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || !plan.looks_the_same(message, directory.get())) {
    return {};
  }
  plans_.splice(plans_.begin(), plans_, found);
  plan.answer(message, reply_);
  return view_of(reply_);
}

}  // namespace tsrunc::addon
