#include "launcher/repeated_plan.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "launcher/planner_wire.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

// How an entry begins; its parts follow in the order of their sizes, in bytes.
struct EntryHeader {
  uint32_t words;
  uint32_t places;
  uint32_t looks;
  uint32_t request;
  uint32_t reply;
  uint32_t reserved;
};
static_assert(sizeof(EntryHeader) == 24);

// There are eight types; each has one path.
constexpr size_t kMostNamespaces = 8;
constexpr char kNamespaceQuestion = 'n';
// Of proc(5)'s directory ns, as src/host/probe.ts has them.
constexpr const char* kNamespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

using Sections = std::array<std::string_view, kSections>;

[[nodiscard]] Sections split(std::string_view request) noexcept {
  RequestHeader header;
  std::memcpy(&header, request.data(), sizeof header);
  Sections out;
  size_t at = sizeof header;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = request.substr(std::min(at, request.size()), header.sizes[i]);
    at += out[i].size();
  }
  return out;
}

[[nodiscard]] std::string_view section_of(std::string_view request, Section section) noexcept {
  return split(request)[static_cast<size_t>(section)];
}

// The next word of a list, each with a NUL behind it; without that NUL.
[[nodiscard]] bool next_word(std::string_view& list, std::string_view& word) noexcept {
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

// Whether two words differ in nothing but in which letters and digits they have: what escapes the others, as
// the name of an object of systemd's does, makes the same of them.
[[nodiscard]] bool is_of_one_form(std::string_view kept, std::string_view given) noexcept {
  return std::equal(kept.begin(), kept.end(), given.begin(), given.end(), [](char one, char other) {
    return one == other || (is_letter_or_digit(one) && is_letter_or_digit(other));
  });
}

// Where the reply has a word of another length its bytes would be others, too.
[[nodiscard]] bool may_stand_for(const RepeatedWord& word, std::string_view kept,
                                 std::string_view given) noexcept {
  return (word.count == 0 || is_of_one_form(kept, given)) &&
         (word.is_path != 0 ? is_plain_path(given) : is_plain_id(given));
}

// Whether two lists of answers differ in nothing but in which namespaces they name. That neither is the
// caller's own is looked at apart.
[[nodiscard]] bool are_same_answers(std::string_view kept, std::string_view given) noexcept {
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
struct ToldNamespaces {
  std::array<std::string_view, kMostNamespaces> identities;
  size_t count = 0;
  bool too_many = false;
};

[[nodiscard]] ToldNamespaces namespaces_of(std::string_view request) noexcept {
  std::string_view answers = section_of(request, Section::kAnswers);
  ToldNamespaces out;
  std::string_view question;
  std::string_view identity;
  while (next_word(answers, question) && next_word(answers, identity)) {
    if (question.empty() || question.front() != kNamespaceQuestion) {
      continue;
    }
    if (out.count == out.identities.size()) {
      out.too_many = true;
      break;
    }
    out.identities[out.count++] = identity;
  }
  return out;
}

// Whether one of them is the caller's own, which a plan does not enter, or may be. `caller`: its directory of
// proc(5).
[[nodiscard]] bool tells_of_its_own(std::string_view request, int caller) noexcept {
  const ToldNamespaces told = namespaces_of(request);
  if (told.count == 0) {
    return false;
  }
  const auto* end = told.identities.begin() + told.count;
  return told.too_many || std::any_of(std::begin(kNamespaces), std::end(kNamespaces), [&](const char* name) {
           char path[32];
           char own[64];
           struct stat about {};
           sys::Text(path).add("ns/").add(name);
           if (::fstatat(caller, path, &about, 0) != 0) {
             return errno != ENOENT;  // a kernel without such namespaces
           }
           sys::Text(own).add(uint64_t{about.st_dev}).add(":").add(uint64_t{about.st_ino});
           return std::find(told.identities.begin(), end, std::string_view(own)) != end;
         });
}

// The next of the looks.
[[nodiscard]] bool next_look(std::string_view& list, std::string_view& path,
                             std::string_view& text) noexcept {
  uint32_t size = 0;
  if (!next_word(list, path) || list.size() < sizeof size) {
    return false;
  }
  std::memcpy(&size, list.data(), sizeof size);
  list.remove_prefix(sizeof size);
  if (list.size() < size) {
    return false;
  }
  text = list.substr(0, size);
  list.remove_prefix(size);
  return true;
}

constexpr char kIdentity = '=';

// "1:2:3:4.5"; empty where the file is not there.
void identify(const char* path, sys::Array<char>& out) {
  char text[128];
  struct stat about {};
  if (::stat(path, &about) == 0) {
    sys::Text(text)
        .add(uint64_t{about.st_dev})
        .add(":")
        .add(uint64_t{about.st_ino})
        .add(":")
        .add(static_cast<uint64_t>(about.st_size))
        .add(":")
        .add(static_cast<uint64_t>(about.st_mtim.tv_sec))
        .add(".")
        .add(static_cast<uint64_t>(about.st_mtim.tv_nsec));
    out.append(text, std::strlen(text));
  }
}

}  // namespace

void add_identity_look(sys::Array<char>& out, std::string_view path) {
  char name[PATH_MAX + 2];
  sys::Array<char> text;
  sys::Text(name).add("=").add(path.data(), path.size());
  identify(name + 1, text);
  add_look(out, name, {text.data(), text.size()});
}

void add_look(sys::Array<char>& out, std::string_view path, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  out.append(path.data(), path.size());
  out.push(0);
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(text.data(), text.size());
}

void add_entry(sys::Array<char>& out, const RepeatedParts& parts) {
  const std::string_view all[] = {
      {reinterpret_cast<const char*>(parts.words), parts.word_count * sizeof(RepeatedWord)},
      {reinterpret_cast<const char*>(parts.places), parts.place_count * sizeof(uint32_t)},
      parts.looks,
      parts.request,
      parts.reply,
  };
  const EntryHeader header{static_cast<uint32_t>(all[0].size()), static_cast<uint32_t>(all[1].size()),
                           static_cast<uint32_t>(all[2].size()), static_cast<uint32_t>(all[3].size()),
                           static_cast<uint32_t>(all[4].size()), 0};
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  for (const std::string_view part : all) {
    out.append(part.data(), part.size());
  }
  while (out.size() % 8 != 0) {
    out.push(0);
  }
}

bool RepeatedPlan::read(std::string_view bytes) noexcept {
  EntryHeader header{};
  if (bytes.size() < sizeof header) {
    return false;
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  const uint64_t total =
      sizeof header + uint64_t{header.words} + header.places + header.looks + header.request + header.reply;
  size_ = (total + 7) / 8 * 8;
  if (bytes.size() < size_ || header.words % sizeof(RepeatedWord) != 0 ||
      header.places % sizeof(uint32_t) != 0 || header.request < sizeof(RequestHeader)) {
    return false;
  }
  size_t at = sizeof header;
  const auto take = [&](uint32_t size) noexcept {
    const std::string_view part = bytes.substr(at, size);
    at += size;
    return part;
  };
  words_ = take(header.words);
  places_ = take(header.places);
  looks_ = take(header.looks);
  request_ = take(header.request);
  reply_ = take(header.reply);
  return true;
}

RepeatedWord RepeatedPlan::word_at(size_t at) const noexcept {
  RepeatedWord word;
  std::memcpy(&word, words_.data() + at * sizeof word, sizeof word);
  return word;
}

uint32_t RepeatedPlan::place_at(size_t at) const noexcept {
  uint32_t place = 0;
  std::memcpy(&place, places_.data() + at * sizeof place, sizeof place);
  return place;
}

bool RepeatedPlan::find_word(size_t index, RepeatedWord& out) const noexcept {
  for (size_t at = 0; at < words_.size() / sizeof(RepeatedWord); ++at) {
    out = word_at(at);
    if (out.index == index) {
      return true;
    }
  }
  return false;
}

bool RepeatedPlan::is_sound() const noexcept {
  if (namespaces_of(request_).too_many) {
    return false;
  }
  std::string_view argv = section_of(request_, Section::kArgv);
  std::string_view text;
  RepeatedWord word;
  size_t found = 0;
  for (size_t index = 0; next_word(argv, text); ++index) {
    if (!find_word(index, word)) {
      continue;
    }
    ++found;
    if (uint64_t{word.first} + word.count > places_.size() / sizeof(uint32_t)) {
      return false;
    }
    for (uint32_t i = 0; i < word.count; ++i) {
      const uint32_t place = place_at(word.first + i);
      if (place > reply_.size() || reply_.compare(place, text.size(), text) != 0) {
        return false;
      }
    }
  }
  return found == words_.size() / sizeof(RepeatedWord);
}

// Whether a command line differs from that of the request in free words only.
bool RepeatedPlan::is_same_call(std::string_view given) const noexcept {
  std::string_view kept = section_of(request_, Section::kArgv);
  std::string_view before;
  std::string_view now;
  RepeatedWord word;
  for (size_t index = 0; next_word(kept, before); ++index) {
    if (!next_word(given, now)) {
      return false;
    }
    if (find_word(index, word) ? !may_stand_for(word, before, now) : before != now) {
      return false;
    }
  }
  return given.empty();
}

bool RepeatedPlan::is_for(std::string_view request) const noexcept {
  constexpr size_t kSame = offsetof(RequestHeader, sizes);
  if (request.size() < sizeof(RequestHeader) || std::memcmp(request_.data(), request.data(), kSame) != 0) {
    return false;
  }
  const Sections before = split(request_);
  const Sections now = split(request);
  for (size_t i = 0; i < before.size(); ++i) {
    const auto section = static_cast<Section>(i);
    if (section != Section::kArgv && section != Section::kRecord && section != Section::kAnswers &&
        before[i] != now[i]) {
      return false;
    }
  }
  constexpr auto kAnswers = static_cast<size_t>(Section::kAnswers);
  return is_same_call(now[static_cast<size_t>(Section::kArgv)]) &&
         are_same_answers(before[kAnswers], now[kAnswers]);
}

bool RepeatedPlan::looks_the_same(std::string_view request, int caller) const noexcept {
  if (tells_of_its_own(request, caller)) {
    return false;
  }
  sys::Array<char> text;
  std::string_view looks = looks_;
  std::string_view path;
  std::string_view before;
  while (!looks.empty()) {
    text.clear();
    if (!next_look(looks, path, before)) {
      return false;
    }
    // The path has a NUL behind it; an absolute one is where it is.
    if (!path.empty() && path.front() == kIdentity) {
      identify(path.data() + 1, text);
      if (text.empty()) {
        return false;  // nobody knows then which one it was made with
      }
    } else if (sys::read_whole(caller, path.data(), text)) {
      return false;
    }
    if (std::string_view(text.data(), text.size()) != before) {
      return false;
    }
  }
  return true;
}

void RepeatedPlan::answer(std::string_view request, sys::Array<char>& out) const noexcept {
  out.clear();
  out.append(reply_.data(), reply_.size());
  std::string_view argv = section_of(request, Section::kArgv);
  std::string_view text;
  RepeatedWord word;
  for (size_t index = 0; next_word(argv, text); ++index) {
    if (!find_word(index, word)) {
      continue;
    }
    for (uint32_t i = 0; i < word.count; ++i) {
      std::memcpy(out.data() + place_at(word.first + i), text.data(), text.size());
    }
  }
}

}  // namespace tsrunc::launcher
