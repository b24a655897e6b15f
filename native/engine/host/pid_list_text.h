#pragma once

#include <sys/types.h>

#include "sys/array.h"
#include "sys/text.h"

namespace tsrunc::engine {

// "process 12", "processes 12, 13 and 40 more": the first eight by number. A pid of 0 is one that this pid
// namespace cannot see (cgroups(7)).
inline void add_pids(sys::Text& out, const sys::Array<pid_t>& pids) noexcept {
  constexpr size_t kShown = 8;
  out.add(pids.size() == 1 ? "process " : "processes ");
  for (size_t i = 0; i < pids.size() && i < kShown; ++i) {
    out.add(i == 0 ? "" : ", ");
    if (pids[i] == 0) {
      out.add("(of another pid namespace)");
    } else {
      out.add(static_cast<uint64_t>(pids[i]));
    }
  }
  if (pids.size() > kShown) {
    out.add(" and ").add(static_cast<uint64_t>(pids.size() - kShown)).add(" more");
  }
}

}  // namespace tsrunc::engine
