#include "launcher/arguments.h"

#include <cstring>

#include "launcher/duration.h"
#include "sys/scan.h"

namespace tsrunc::launcher {
namespace {

struct VerbRow {
  const char* name;
  Verb verb;
  int least;  // positionals
  int most;
};
constexpr VerbRow kVerbs[] = {
    {"start", Verb::kStart, 1, 1},   {"state", Verb::kState, 1, 1},   {"kill", Verb::kKill, 1, 2},
    {"delete", Verb::kDelete, 1, 1}, {"pause", Verb::kPause, 1, 1},   {"resume", Verb::kResume, 1, 1},
    {"ps", Verb::kPs, 1, 1},         {"events", Verb::kEvents, 1, 1}, {"list", Verb::kList, 0, 0},
    {"gc", Verb::kGc, 0, 0},         {"attach", Verb::kAttach, 1, 1}, {"wait", Verb::kWait, 1, 1},
    {"resize", Verb::kResize, 3, 3}, {"logs", Verb::kLogs, 1, 1},     {"version", Verb::kVersion, 0, 0},
};

[[nodiscard]] bool is(const char* one, const char* other) noexcept {
  return std::strcmp(one, other) == 0;
}

[[nodiscard]] bool one_of(const char* value, const char* a, const char* b, const char* c) noexcept {
  return is(value, a) || is(value, b) || is(value, c);
}

[[nodiscard]] bool set_log_format(Arguments& out, const char* value) noexcept {
  out.log.json = is(value, "json");
  return out.log.json || is(value, "text");
}

[[nodiscard]] bool set_log_level(Arguments& out, const char* value) noexcept {
  constexpr const char* kNames[] = {"error", "warning", "info", "debug"};
  for (uint8_t i = 0; i < 4; ++i) {
    if (is(value, kNames[i])) {
      out.log.level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

[[nodiscard]] bool set_format(Arguments& out, const char* value) noexcept {
  out.json = is(value, "json");
  return out.json || is(value, "table");
}

[[nodiscard]] bool set_exec_id(Arguments& out, const char* value) noexcept {
  out.exec_id = value;
  return true;
}

// `verb`: nullptr for the options of all verbs. `letter`: short form or 0. `set` takes nullptr for a switch;
// false: the value is not known here.
struct OptionRow {
  const char* name;
  const char* verb;
  char letter;
  bool takes_value;
  bool (*set)(Arguments& out, const char* value) noexcept;
};
constexpr OptionRow kOptions[] = {
    {"root", nullptr, 0, true,
     [](Arguments& out, const char* value) noexcept {
       out.root = value;
       return *value != 0;
     }},
    {"log", nullptr, 0, true,
     [](Arguments& out, const char* value) noexcept {
       out.log.file = value;
       return true;
     }},
    {"trace", nullptr, 0, true,
     [](Arguments& out, const char* value) noexcept {
       out.trace = value;
       return true;
     }},
    {"log-format", nullptr, 0, true, set_log_format},
    {"log-level", nullptr, 0, true, set_log_level},
    {"debug", nullptr, 0, false,
     [](Arguments& out, const char*) noexcept {
       out.log.level = Level::kDebug;
       return true;
     }},
    // Who makes cgroups matters to create alone; delete does what create noted.
    {"systemd-cgroup", nullptr, 0, false, [](Arguments&, const char*) noexcept { return true; }},
    {"cgroup-manager", nullptr, 0, true,
     [](Arguments&, const char* value) noexcept { return one_of(value, "cgroupfs", "systemd", "disabled"); }},
    {"rootless", nullptr, 0, true,
     [](Arguments&, const char* value) noexcept { return one_of(value, "true", "false", "auto"); }},
    // These verbs plan nothing.
    {"planner", nullptr, 0, true,
     [](Arguments&, const char* value) noexcept { return one_of(value, "off", "auto", "on"); }},
    {"version", nullptr, 'v', false,
     [](Arguments& out, const char*) noexcept {
       out.version = true;
       return true;
     }},
    {"all", "kill", 'a', false,
     [](Arguments& out, const char*) noexcept {
       out.all = true;
       return true;
     }},
    {"force", "delete", 'f', false,
     [](Arguments& out, const char*) noexcept {
       out.force = true;
       return true;
     }},
    {"regex", "kill", 'r', false,
     [](Arguments& out, const char*) noexcept {
       out.regex = true;
       return true;
     }},
    {"regex", "delete", 'r', false,
     [](Arguments& out, const char*) noexcept {
       out.regex = true;
       return true;
     }},
    {"dry-run", "gc", 0, false,
     [](Arguments& out, const char*) noexcept {
       out.dry_run = true;
       return true;
     }},
    {"format", "list", 'f', true, set_format},
    {"format", "ps", 'f', true, set_format},
    {"stats", "events", 0, false,
     [](Arguments& out, const char*) noexcept {
       out.stats = true;
       return true;
     }},
    {"interval", "events", 0, true,
     [](Arguments& out, const char* value) noexcept { return parse_duration(value, out.interval_ms); }},
    {"format", "wait", 'f', true,
     [](Arguments& out, const char* value) noexcept {
       out.json = is(value, "json");
       return out.json || is(value, "text");
     }},
    {"exec-id", "wait", 0, true, set_exec_id},
    {"exec-id", "attach", 0, true, set_exec_id},
    {"exec-id", "resize", 0, true, set_exec_id},
    {"exec-id", "logs", 0, true, set_exec_id},
    {"follow", "logs", 'f', false,
     [](Arguments& out, const char*) noexcept {
       out.follow = true;
       return true;
     }},
    {"timestamps", "logs", 't', false,
     [](Arguments& out, const char*) noexcept {
       out.timestamps = true;
       return true;
     }},
    {"tail", "logs", 'n', true,
     [](Arguments& out, const char* value) noexcept {
       return sys::Scan(value).number(out.tail).complete() && out.tail >= 0;
     }},
    {"no-stdin", "attach", 0, false,
     [](Arguments& out, const char*) noexcept {
       out.no_stdin = true;
       return true;
     }},
    {"quiet", "list", 'q', false,
     [](Arguments& out, const char*) noexcept {
       out.quiet = true;
       return true;
     }},
};

class Parser {
 public:
  Parser(int argc, const char* const* argv, Arguments& out) noexcept : argc_(argc), argv_(argv), out_(out) {}

  [[nodiscard]] bool parse() noexcept {
    for (; at_ < argc_; ++at_) {
      const char* word = argv_[at_];
      if (!options_ended_ && is(word, "--") && verb_ != nullptr) {
        options_ended_ = true;
        continue;
      }
      const bool ok = !options_ended_ && word[0] == '-' && word[1] != 0 ? option(word) : plain(word);
      if (!ok) {
        return false;
      }
    }
    return out_.version || (verb_ != nullptr && out_.count >= verb_->least);
  }

 private:
  [[nodiscard]] bool plain(const char* word) noexcept {
    if (verb_ != nullptr) {
      if (out_.count == verb_->most) {
        return false;
      }
      out_.positionals[out_.count++] = word;
      if (verb_->verb == Verb::kPs) {
        out_.rest = argv_ + at_ + 1;
        out_.rest_count = argc_ - at_ - 1;
        at_ = argc_ - 1;
      }
      return true;
    }
    for (const VerbRow& row : kVerbs) {
      if (is(row.name, word)) {
        verb_ = &row;
        out_.verb = row.verb;
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool option(const char* word) noexcept {
    for (const OptionRow& row : kOptions) {
      const bool offered = row.verb == nullptr || (verb_ != nullptr && is(row.verb, verb_->name));
      const char* value = nullptr;
      if (offered && matches(row, word, value)) {
        return set(row, value);
      }
    }
    return false;
  }

  // `value`: what follows "=" in the same word.
  [[nodiscard]] static bool matches(const OptionRow& row, const char* word, const char*& value) noexcept {
    if (word[1] != '-') {
      return row.letter != 0 && word[1] == row.letter && word[2] == 0;
    }
    const size_t length = std::strlen(row.name);
    if (std::strncmp(word + 2, row.name, length) != 0) {
      return false;
    }
    const char end = word[2 + length];
    value = end == '=' && row.takes_value ? word + 3 + length : nullptr;
    return end == 0 || value != nullptr;
  }

  [[nodiscard]] bool set(const OptionRow& row, const char* value) noexcept {
    if (row.takes_value && value == nullptr) {
      if (++at_ == argc_) {
        return false;
      }
      value = argv_[at_];
    }
    return row.set(out_, value);
  }

  int argc_;
  const char* const* argv_;
  Arguments& out_;
  const VerbRow* verb_ = nullptr;
  int at_ = 1;
  bool options_ended_ = false;  // by "--"
};

}  // namespace

const char* verb_name(Verb verb) noexcept {
  for (const VerbRow& row : kVerbs) {
    if (row.verb == verb) {
      return row.name;
    }
  }
  return "";
}

bool parse_arguments(int argc, const char* const* argv, Arguments& out) noexcept {
  return Parser(argc, argv, out).parse();
}

}  // namespace tsrunc::launcher
