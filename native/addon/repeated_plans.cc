#include "addon/repeated_plans.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "launcher/planner_wire.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::addon {
namespace {

using launcher::RequestHeader;
using launcher::Section;

constexpr size_t kMost = 16;
// Of a request and its reply; longer ones are planned for each time.
constexpr size_t kMostBytes = size_t{1} << 20;
// There are eight types; each has one path.
constexpr size_t kMostNamespaces = 8;
constexpr char kNamespaceQuestion = 'n';
// Of proc(5)'s directory ns, as src/host/probe.ts has them.
constexpr const char* kNamespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

using Sections = std::array<std::string_view, launcher::kSections>;

[[nodiscard]] Sections split(std::string_view message) {
  RequestHeader header;
  std::memcpy(&header, message.data(), sizeof header);
  Sections out;
  size_t at = sizeof header;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = message.substr(std::min(at, message.size()), header.sizes[i]);
    at += out[i].size();
  }
  return out;
}

// The next word of a list, each with a NUL behind it; without that NUL.
[[nodiscard]] bool next_word(std::string_view& list, std::string_view& word) {
  const size_t end = list.find('\0');
  if (end == std::string_view::npos) {
    return false;
  }
  word = list.substr(0, end);
  list.remove_prefix(end + 1);
  return true;
}

[[nodiscard]] bool is_letter_or_digit(char one) noexcept {
  return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9');
}

// What stands in a plan as it was given; src/planner/free-words.ts says why.
[[nodiscard]] bool is_plain_id(std::string_view word) noexcept {
  return !word.empty() && is_letter_or_digit(word.front()) &&
         std::all_of(word.begin(), word.end(),
                     [](char one) { return is_letter_or_digit(one) || one == '_' || one == '-'; });
}

[[nodiscard]] bool is_plain_path(std::string_view word) noexcept {
  if (word.empty() || word.front() != '/') {
    return false;
  }
  while (!word.empty()) {
    word.remove_prefix(1);  // its slash
    const std::string_view name = word.substr(0, word.find('/'));
    if (name.empty() || name == "." || name == ".." || !std::all_of(name.begin(), name.end(), [](char one) {
          return is_letter_or_digit(one) || one == '_' || one == '-' || one == '.';
        })) {
      return false;
    }
    word.remove_prefix(name.size());
  }
  return true;
}

[[nodiscard]] const RepeatedPlans::Word* find_word(const RepeatedPlans::Plan& plan, size_t index) {
  for (const RepeatedPlans::Word& word : plan.words) {
    if (word.index == index) {
      return &word;
    }
  }
  return nullptr;
}

// Whether two words differ in nothing but in which letters and digits they have: what escapes the others, as
// the name of an object of systemd's does, makes the same of them.
[[nodiscard]] bool is_of_one_form(std::string_view kept, std::string_view given) {
  return std::equal(kept.begin(), kept.end(), given.begin(), given.end(), [](char one, char other) {
    return one == other || (is_letter_or_digit(one) && is_letter_or_digit(other));
  });
}

// Where the reply has a word of another length its bytes would be others, too.
[[nodiscard]] bool may_stand_for(const RepeatedPlans::Word& word, std::string_view kept,
                                 std::string_view given) {
  return (word.places.empty() || is_of_one_form(kept, given)) &&
         (word.is_path ? is_plain_path(given) : is_plain_id(given));
}

// Whether two command lines differ in free words only.
[[nodiscard]] bool is_same_call(const RepeatedPlans::Plan& plan, std::string_view kept,
                                std::string_view given) {
  std::string_view before;
  std::string_view now;
  for (size_t index = 0; next_word(kept, before); ++index) {
    if (!next_word(given, now)) {
      return false;
    }
    const RepeatedPlans::Word* word = find_word(plan, index);
    if (word == nullptr ? before != now : !may_stand_for(*word, before, now)) {
      return false;
    }
  }
  return given.empty();
}

// Whether two lists of answers differ in nothing but in which namespaces they name. That neither is the
// caller's own is looked at apart.
[[nodiscard]] bool are_same_answers(std::string_view kept, std::string_view given) {
  std::string_view question;
  std::string_view before;
  std::string_view now;
  while (next_word(kept, question)) {
    std::string_view other;
    if (!next_word(given, other) || question != other || !next_word(kept, before) || !next_word(given, now)) {
      return false;
    }
    const bool may_differ =
        !question.empty() && question.front() == kNamespaceQuestion && !before.empty() && !now.empty();
    if (before != now && !may_differ) {
      return false;
    }
  }
  return given.empty();
}

// The namespaces that a caller has told of, by their identities.
[[nodiscard]] std::vector<std::string_view> namespaces_of(std::string_view message) {
  std::string_view answers = split(message)[static_cast<size_t>(Section::kAnswers)];
  std::vector<std::string_view> out;
  std::string_view question;
  std::string_view identity;
  while (next_word(answers, question) && next_word(answers, identity)) {
    if (!question.empty() && question.front() == kNamespaceQuestion) {
      out.push_back(identity);
    }
  }
  return out;
}

// Whether one of them is the caller's own, which a plan does not enter, or may be. `caller`: its directory of
// proc(5).
[[nodiscard]] bool tells_of_its_own(std::string_view message, int caller) {
  const std::vector<std::string_view> told = namespaces_of(message);
  if (told.empty()) {
    return false;
  }
  return std::any_of(std::begin(kNamespaces), std::end(kNamespaces), [&](const char* name) {
    char path[32];
    char own[64];
    struct stat about {};
    sys::Text(path).add("ns/").add(name);
    if (::fstatat(caller, path, &about, 0) != 0) {
      return errno != ENOENT;  // a kernel without such namespaces
    }
    sys::Text(own).add(uint64_t{about.st_dev}).add(":").add(uint64_t{about.st_ino});
    return std::find(told.begin(), told.end(), own) != told.end();
  });
}

[[nodiscard]] bool is_same_request(const RepeatedPlans::Plan& plan, std::string_view given) {
  constexpr size_t kSame = offsetof(RequestHeader, sizes);
  if (given.size() < sizeof(RequestHeader) || std::memcmp(plan.message.data(), given.data(), kSame) != 0) {
    return false;
  }
  const Sections before = split(plan.message);
  const Sections now = split(given);
  for (size_t i = 0; i < before.size(); ++i) {
    const auto section = static_cast<Section>(i);
    if (section != Section::kArgv && section != Section::kRecord && section != Section::kAnswers &&
        before[i] != now[i]) {
      return false;
    }
  }
  constexpr auto kArgv = static_cast<size_t>(Section::kArgv);
  constexpr auto kAnswers = static_cast<size_t>(Section::kAnswers);
  return is_same_call(plan, before[kArgv], now[kArgv]) && are_same_answers(before[kAnswers], now[kAnswers]);
}

void put_words(RepeatedPlans::Plan& plan, std::string_view message) {
  std::string_view argv = split(message)[static_cast<size_t>(Section::kArgv)];
  std::string_view text;
  for (size_t index = 0; next_word(argv, text); ++index) {
    if (const RepeatedPlans::Word* word = find_word(plan, index); word != nullptr) {
      for (const size_t place : word->places) {
        plan.reply.replace(place, text.size(), text);
      }
    }
  }
}

// Of what JavaScript hands over: what is put in stays within the reply.
[[nodiscard]] bool is_sound(const RepeatedPlans::Plan& plan) {
  if (plan.message.size() < sizeof(RequestHeader) || plan.message.size() + plan.reply.size() > kMostBytes ||
      namespaces_of(plan.message).size() > kMostNamespaces) {
    return false;
  }
  std::string_view argv = split(plan.message)[static_cast<size_t>(Section::kArgv)];
  std::string_view text;
  size_t found = 0;
  for (size_t index = 0; next_word(argv, text); ++index) {
    const RepeatedPlans::Word* word = find_word(plan, index);
    if (word == nullptr) {
      continue;
    }
    ++found;
    for (const size_t place : word->places) {
      if (place > plan.reply.size() || plan.reply.compare(place, text.size(), text) != 0) {
        return false;
      }
    }
  }
  return found == plan.words.size();
}

}  // namespace

void RepeatedPlans::forget() noexcept {
  plans_.clear();
  ++facts_;
}

void RepeatedPlans::keep(Plan plan, uint64_t facts) {
  if (facts != facts_ || !is_sound(plan)) {
    return;
  }
  plans_.remove_if([&](const Plan& one) { return is_same_request(one, plan.message); });
  plans_.push_front(std::move(plan));
  if (plans_.size() > kMost) {
    plans_.pop_back();
  }
}

bool RepeatedPlans::looks_the_same(const Plan& plan, std::string_view message, pid_t caller) {
  char path[64];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(caller));
  const sys::UniqueFd directory(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || tells_of_its_own(message, directory.get())) {
    return false;
  }
  return std::all_of(plan.looks.begin(), plan.looks.end(), [&](const Look& look) {
    text_.clear();
    // An absolute path is where it is.
    return !sys::read_whole(directory.get(), look.path.c_str(), text_) &&
           std::string_view(text_.data(), text_.size()) == look.text;
  });
}

std::string_view RepeatedPlans::find(std::string_view message, pid_t caller) {
  const auto found = std::find_if(plans_.begin(), plans_.end(),
                                  [&](const Plan& plan) { return is_same_request(plan, message); });
  if (found == plans_.end() || !looks_the_same(*found, message, caller)) {
    return {};
  }
  plans_.splice(plans_.begin(), plans_, found);
  put_words(plans_.front(), message);
  return plans_.front().reply;
}

}  // namespace tsrunc::addon
