// The repeated plans of a planner (launcher/repeated_plan.h): callers are answered without JavaScript.
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
    std::vector<std::string> files;  // that it was made with: another one makes another plan
  };

  // A number of the facts of the host (src/host/memory.ts) that the plans were made with.
  [[nodiscard]] uint64_t facts() const noexcept { return facts_; }
  // They are others now.
  void forget() noexcept;
  // Answers requests like this one, unless the facts are no longer those of `facts`.
  void keep(const Plan& plan, uint64_t facts);
  // The reply to a request of a process; empty: it has to be planned for. Valid until the next call.
  [[nodiscard]] std::string_view find(std::string_view message, pid_t caller);

 private:
  uint64_t facts_ = 0;
  std::list<sys::Array<char>> plans_;  // the one that was used last is the first
  sys::Array<char> reply_;
};

// The plan as an entry; empty where it is too large or not sound.
[[nodiscard]] sys::Array<char> entry_of(const RepeatedPlans::Plan& plan);

}  // namespace tsrunc::addon
