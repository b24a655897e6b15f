#include "launcher/planner_call.h"

#include <cstdlib>
#include <cstring>

namespace tsrunc::launcher {
namespace {

[[nodiscard]] bool is(const char* one, const char* other) noexcept {
  return std::strcmp(one, other) == 0;
}

[[nodiscard]] bool read_mode(const char* word, PlannerMode& out) noexcept {
  constexpr const char* kNames[] = {"off", "auto", "on", "wait"};
  for (uint8_t i = 0; i < 4; ++i) {
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

// One of the words that node takes: where it takes none, it says so before anything is read.
template <const auto& kWords>
[[nodiscard]] bool choose(PlannerCall&, const char* value) noexcept {
  for (const char* word : kWords) {
    if (is(word, value)) {
      return true;
    }
  }
  return false;
}
constexpr const char* kLogLevels[] = {"error", "warning", "info", "debug"};
constexpr const char* kManagers[] = {"cgroupfs", "systemd", "disabled"};
constexpr const char* kRootless[] = {"true", "false", "auto"};
constexpr const char* kMemoryModes[] = {"plain", "safe"};

[[nodiscard]] bool take_limit(PlannerCall& out, const char*) noexcept {
  out.limited = true;
  return true;
}

// Who has an option.
constexpr uint8_t kMake = 1;  // create and run
constexpr uint8_t kExec = 2;
constexpr uint8_t kUpdate = 4;
constexpr uint8_t kVerbs = kMake | kExec;  // who starts a process
constexpr uint8_t kGlobal = 8 | kVerbs | kUpdate;

struct OptionRow {
  const char* name;
  char letter;
  uint8_t whose;
  bool takes_value;
  Take take;
};
// --dry-run, --help and --version print, which is node's.
constexpr OptionRow kOptions[] = {
    {"root", 0, kGlobal, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.root = value;
       return *value != 0;
     }},
    {"log", 0, kGlobal, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.log.file = value;
       const char* name = nullptr;
       return log_service(value, name) == LogService::kNone;  // node sends what it has to say itself
     }},
    {"trace", 0, kGlobal, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.trace = value;
       return true;
     }},
    {"log-format", 0, kGlobal, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.log.json = is(value, "json");
       return out.log.json || is(value, "text");
     }},
    {"log-level", 0, kGlobal, true, choose<kLogLevels>},
    {"debug", 0, kGlobal, false, leave},
    {"systemd-cgroup", 0, kGlobal, false, leave},
    {"cgroup-manager", 0, kGlobal, true, choose<kManagers>},
    {"rootless", 0, kGlobal, true, choose<kRootless>},
    {"planner", 0, kGlobal, true,
     [](PlannerCall& out, const char* value) noexcept { return read_mode(value, out.mode); }},
    {"bundle", 'b', kMake, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.bundle = *value == 0 ? "." : value;
       return true;
     }},
    {"config", 'f', kMake, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.config = value;
       return *value != 0;
     }},
    {"console-socket", 0, kVerbs, true, leave},
    {"pidfd-socket", 0, kVerbs, true, leave},
    {"pid-file", 0, kVerbs, true, leave},
    {"no-pivot", 0, kMake, false, leave},
    {"no-new-keyring", 0, kMake, false, leave},
    {"preserve-fds", 0, kVerbs, true, leave},
    {"detach", 'd', kVerbs, false, leave},
    {"keep", 0, kVerbs, false, leave},
    {"no-subreaper", 0, kVerbs, false, leave},
    {"monitor", 0, kVerbs, false, leave},
    {"stdin", 0, kVerbs, true, leave},
    {"stdout", 0, kVerbs, true, leave},
    {"stderr", 0, kVerbs, true, leave},
    {"log-driver", 0, kVerbs, true, leave},
    {"log-path", 0, kVerbs, true, leave},
    {"log-size-max", 0, kVerbs, true, leave},
    {"log-files-max", 0, kVerbs, true, leave},
    {"interactive", 'i', kVerbs, false, leave},
    {"exec-id", 0, kExec, true, leave},
    {"process", 'p', kExec, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.file = value;
       return *value != 0;
     }},
    {"cwd", 0, kExec, true, leave},
    {"env", 'e', kExec, true, leave},
    {"user", 'u', kExec, true, leave},
    {"additional-gids", 'g', kExec, true, leave},
    {"tty", 't', kExec, false, leave},
    {"process-label", 0, kExec, true, leave},
    {"apparmor", 0, kExec, true, leave},
    {"no-new-privs", 0, kExec, false, leave},
    {"cap", 'c', kExec, true, leave},
    {"cgroup", 0, kExec, true, leave},
    {"ignore-paused", 0, kExec, false, leave},
    {"resources", 'r', kUpdate, true,
     [](PlannerCall& out, const char* value) noexcept {
       out.file = value;
       out.reads_input = is(value, "-");
       return *value != 0;
     }},
    {"blkio-weight", 0, kUpdate, true, take_limit},
    {"cpu-period", 0, kUpdate, true, take_limit},
    {"cpu-quota", 0, kUpdate, true, take_limit},
    {"cpu-burst", 0, kUpdate, true, take_limit},
    {"cpu-share", 0, kUpdate, true, take_limit},
    {"cpu-rt-period", 0, kUpdate, true, take_limit},
    {"cpu-rt-runtime", 0, kUpdate, true, take_limit},
    {"cpu-idle", 0, kUpdate, true, take_limit},
    {"cpuset-cpus", 0, kUpdate, true, take_limit},
    {"cpuset-mems", 0, kUpdate, true, take_limit},
    {"kernel-memory", 0, kUpdate, true, take_limit},
    {"kernel-memory-tcp", 0, kUpdate, true, take_limit},
    {"memory", 0, kUpdate, true, take_limit},
    {"memory-mode", 0, kUpdate, true, choose<kMemoryModes>},
    {"memory-reservation", 0, kUpdate, true, take_limit},
    {"memory-swap", 0, kUpdate, true, take_limit},
    {"pids-limit", 0, kUpdate, true, take_limit},
    {"l3-cache-schema", 0, kUpdate, true, leave},
    {"mem-bw-schema", 0, kUpdate, true, leave},
};

[[nodiscard]] const OptionRow* find(const char* word, uint8_t who, const char*& value) noexcept {
  value = nullptr;
  for (const OptionRow& row : kOptions) {
    if ((row.whose & who) != who) {
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

[[nodiscard]] uint8_t verb_of(const char* word) noexcept {
  if (is(word, "create") || is(word, "run")) {
    return kMake;
  }
  if (is(word, "update")) {
    return kUpdate;
  }
  return is(word, "exec") ? kExec : 0;
}

[[nodiscard]] PlanKind kind_of(uint8_t who) noexcept {
  if (who == kUpdate) {
    return PlanKind::kLimits;
  }
  return who == kExec ? PlanKind::kProcess : PlanKind::kContainer;
}

// Behind exec's ID everything is the command's. False: so it is for node.
[[nodiscard]] bool take_word(const char* word, PlannerCall& out, uint8_t& who, int& ids) noexcept {
  if (who == kGlobal) {
    out.verb = word;
    who = verb_of(word);
    out.kind = kind_of(who);
    return who != 0;
  }
  ++ids;
  out.container = who == kMake ? nullptr : word;
  return true;
}

[[nodiscard]] bool read_words(int argc, const char* const* argv, PlannerCall& out) noexcept {
  int ids = 0;
  uint8_t who = kGlobal;
  bool options_ended = false;
  for (int at = 1; at < argc && (who != kExec || ids == 0); ++at) {
    const char* word = argv[at];
    if (!options_ended && out.verb != nullptr && is(word, "--")) {
      options_ended = true;
    } else if (options_ended || word[0] != '-' || word[1] == 0) {
      if (!take_word(word, out, who, ids)) {
        return false;
      }
    } else {
      const char* value = nullptr;
      const OptionRow* row = find(word, who, value);
      if (row == nullptr || (row->takes_value && value == nullptr && ++at == argc) ||
          !row->take(out, value == nullptr ? argv[at] : value)) {
        return false;
      }
    }
  }
  // Who names limits twice is told so before anything is read.
  return ids == 1 && !(out.limited && out.file != nullptr);
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
