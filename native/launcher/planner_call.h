// The command lines that a planner is asked about: create, run, exec and update in the forms that engines and
// people use. Everything else goes to node, which knows all forms and says what is wrong with a command line.
#pragma once

#include <cstdint>

#include "launcher/log.h"

namespace tsrunc::launcher {

// --planner, or TSRUNC_PLANNER. kWait: as kAuto of a caller that knows the planner, as one that plans for its
// own calls does. It has kOn's patience, and leaves none behind.
enum class PlannerMode : uint8_t { kOff, kAuto, kOn, kWait };

// What a plan is for.
enum class PlanKind : uint8_t { kContainer, kProcess, kLimits };

struct PlannerCall {
  PlanKind kind = PlanKind::kContainer;
  const char* verb = nullptr;
  PlannerMode mode = PlannerMode::kAuto;
  bool wrong_mode = false;     // TSRUNC_PLANNER is none of them
  const char* root = nullptr;  // nullptr: the default
  const char* bundle = ".";
  const char* config = "config.json";
  const char* container = nullptr;  // the ID of one that is there; nullptr: the verb makes it
  const char* file = nullptr;       // exec's --process or update's --resources, if it is given
  bool reads_input = false;         // that is the standard input
  bool limited = false;             // update has limits on its command line
  LogOptions log;
  const char* trace = nullptr;  // file
};

// False: not a call that a planner is asked about.
[[nodiscard]] bool parse_planner_call(int argc, const char* const* argv, PlannerCall& out) noexcept;

}  // namespace tsrunc::launcher
