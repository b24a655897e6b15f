// Requests that come again and again, as those of health checks and of containers of one configuration, and
// the plans that were made of them: a caller is answered without JavaScript. Knows nothing of node.
//
// Such a request differs from the one that was planned for in no more than what the launcher noted of its
// caller, which the plan does not depend on, in which namespaces there are at the paths that are to be
// entered, as long as none is the caller's own, and in some words of the command line, which the plan has in
// some places, and is the same elsewhere (src/planner/repeats.ts, which finds out).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "sys/array.h"

namespace tsrunc::addon {

class RepeatedPlans {
 public:
  struct Word {
    size_t index = 0;            // in the command line
    bool is_path = false;        // else it is an ID
    std::vector<size_t> places;  // in the reply
  };
  // What planning has looked at beside the request.
  struct Look {
    std::string path;  // a relative one: of the caller's directory of proc(5)
    std::string text;
  };
  struct Plan {
    std::string message;  // the request, with its header
    std::vector<Word> words;
    std::vector<Look> looks;
    std::string reply;
  };

  // A number of the facts of the host (src/host/memory.ts) that the plans were made with.
  [[nodiscard]] uint64_t facts() const noexcept { return facts_; }
  // They are others now.
  void forget() noexcept;
  // Answers requests like this one, unless the facts are no longer those of `facts`.
  void keep(Plan plan, uint64_t facts);
  // The reply to a request of a process; empty: it has to be planned for. Valid until the next call.
  [[nodiscard]] std::string_view find(std::string_view message, pid_t caller);

 private:
  [[nodiscard]] bool looks_the_same(const Plan& plan, std::string_view message, pid_t caller);

  uint64_t facts_ = 0;
  std::list<Plan> plans_;  // the one that was used last is the first
  sys::Array<char> text_;
};

}  // namespace tsrunc::addon
