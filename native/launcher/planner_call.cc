#include "launcher/planner_call.h"

#include <cstdlib>
#include <cstring>

namespace tsrunc::launcher {
namespace {

[[nodiscard]] bool is(const char* one, const char* other) noexcept {
  return std::strcmp(one, other) == 0;
}

[[nodiscard]] bool read_mode(const char* word, PlannerMode& out) noexcept {
  constexpr const char* kNames[] = {"off", "auto", "on"};
  for (uint8_t i = 0; i < 3; ++i) {
    if (is(word, kNames[i])) {
      out = static_cast<PlannerMode>(i);
      return true;
    }
  }
  return false;
}

// What is done with the value (nullptr for a switch). What only the planner needs to know is left to it.
using Take = bool (*)(PlannerCall& out, const char* value) noexcept;

[[nodiscard]] bool leave(PlannerCall&, const char*) noexcept {
  return true;
}

struct OptionRow {
  const char* name;
  char letter;
  bool global;
  bool takes_value;
  Take take;
};
// --dry-run, --help and --version print, which is node's.
constexpr OptionRow kOptions[] = {
    {"root", 0, true, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.root = value;
       return *value != 0;
     }},
    {"log", 0, true, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.log.file = value;
       const char* name = nullptr;
       return log_service(value, name) == LogService::kNone;  // node sends what it has to say itself
     }},
    {"trace", 0, true, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.trace = value;
       return true;
     }},
    {"log-format", 0, true, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.log.json = is(value, "json");
       return true;
     }},
    {"log-level", 0, true, true, leave},
    {"debug", 0, true, false, leave},
    {"systemd-cgroup", 0, true, false, leave},
    {"cgroup-manager", 0, true, true, leave},
    {"rootless", 0, true, true, leave},
    {"planner", 0, true, true,
     [](PlannerCall& out, const char* value) noexcept { return read_mode(value, out.mode); }},
    {"bundle", 'b', false, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.bundle = *value == 0 ? "." : value;
       return true;
     }},
    {"config", 'f', false, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.config = value;
       return *value != 0;
     }},
    {"console-socket", 0, false, true, leave},
    {"pidfd-socket", 0, false, true, leave},
    {"pid-file", 0, false, true, leave},
    {"no-pivot", 0, false, false, leave},
    {"no-new-keyring", 0, false, false, leave},
    {"preserve-fds", 0, false, true, leave},
    {"detach", 'd', false, false, leave},
    {"keep", 0, false, false, leave},
    {"no-subreaper", 0, false, false, leave},
};

[[nodiscard]] const OptionRow* find(const char* word, bool after_verb, const char*& value) noexcept {
  value = nullptr;
  for (const OptionRow& row : kOptions) {
    if (!row.global && !after_verb) {
      continue;
    }
    if (word[1] != '-') {
      if (row.letter != 0 && word[1] == row.letter && word[2] == 0) {
        return &row;
      }
      continue;
    }
    const size_t length = std::strlen(row.name);
    if (std::strncmp(word + 2, row.name, length) != 0) {
      continue;
    }
    if (word[2 + length] == '=' && row.takes_value) {
      value = word + 3 + length;
      return &row;
    }
    if (word[2 + length] == 0) {
      return &row;
    }
  }
  return nullptr;
}

[[nodiscard]] bool read_words(int argc, const char* const* argv, PlannerCall& out) noexcept {
  int positionals = 0;
  bool options_ended = false;
  for (int at = 1; at < argc; ++at) {
    const char* word = argv[at];
    if (!options_ended && out.verb != nullptr && is(word, "--")) {
      options_ended = true;
    } else if (options_ended || word[0] != '-' || word[1] == 0) {
      if (out.verb != nullptr) {
        ++positionals;
      } else if (is(word, "create") || is(word, "run")) {
        out.verb = word;
      } else {
        return false;
      }
    } else {
      const char* value = nullptr;
      const OptionRow* row = find(word, out.verb != nullptr, value);
      if (row == nullptr || (row->takes_value && value == nullptr && ++at == argc) ||
          !row->take(out, value == nullptr ? argv[at] : value)) {
        return false;
      }
    }
  }
  return positionals == 1;
}

}  // namespace

bool parse_planner_call(int argc, const char* const* argv, PlannerCall& out) noexcept {
  const char* variable = std::getenv("TSRUNC_PLANNER");
  if (variable != nullptr && *variable != 0 && !read_mode(variable, out.mode)) {
    out.wrong_mode = true;
  }
  return read_words(argc, argv, out);
}

}  // namespace tsrunc::launcher
