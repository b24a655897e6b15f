// Plans that are kept in files, for calls that no planner plans for: node, which takes most of the time of
// such a call, is not started for what was planned before (repeated_plan.h says what that is).
//
//   ROOT/~plans/       0700, of the caller; no container can have that name
//   ROOT/~plans/kept   0600, of the caller; made whole by rename(2): where the entries are, what they hold
//   for
//                      (kept_facts.h), and the entries, that which was kept last being the first
//   ROOT/~plans/seen   0600, of the caller: which requests have come, and how often. A plan is worth keeping
//                      where one comes for the second time: planning for that takes time
//
// Whoever can write there owns the containers already: their saved plans lie beside it. What is there is
// believed only if the directory and the file are the caller's and nobody else's, and if its checksums
// (CRC-32C) and lengths fit; else it is as if there were nothing. Nothing here is an error: what is not found
// is planned for.
//
// Entries have the configuration and the variables of callers, which outlive the container there. So they are
// kept only where ROOT is in memory, as /run is, and what holds no longer is removed.
#pragma once

#include <string_view>

#include "sys/array.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class KeptPlans {
 public:
  // Whether there can be any: in memory, and of root's.
  [[nodiscard]] static bool are_possible(const char* root);
  // `root`: directory of all containers' state, which is there. False: there are none, and none can be kept.
  [[nodiscard]] bool open(const char* root);
  // The reply that was kept for requests like this one.
  [[nodiscard]] bool find(std::string_view request, sys::Array<char>& reply) const;
  // Notes a request for which there is none. Whether it is worth keeping its plan now.
  [[nodiscard]] bool note(std::string_view request) const;
  // What plans that are made now hold for.
  [[nodiscard]] const sys::Array<char>& facts() const { return facts_; }
  // Keeps an entry, if its plan was made when these were the facts, and of the others those that came last.
  void keep(std::string_view entry, std::string_view facts) const;

 private:
  void write(const sys::Array<char>& bytes) const;

  sys::UniqueFd directory_;
  sys::Array<char> facts_;
};

}  // namespace tsrunc::launcher
