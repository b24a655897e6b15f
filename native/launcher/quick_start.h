// What node is started with for a call that is short: it begins sooner then (docs/ARCHITECTURE.md, "A call
// that is short").
#pragma once

#include <cstddef>

#include "sys/array.h"

namespace tsrunc::launcher {

// Words, variables and files of fewer bytes than this, together, make a call short.
inline constexpr size_t kShort = 32 << 10;

// Whether everything that a stranger can have written into a call of create, run, exec or update is short:
// its words, the variables that node gets, config.json or the file of --process or --resources, and what was
// saved of the container. False also of other verbs, and where the launcher cannot tell how long something
// is.
[[nodiscard]] bool is_short(int argc, const char* const* argv);

// Options of node that belong to the build (tools/code-cache.ts).
class QuickStart {
 public:
  // `main_js`: path of dist/main.js, beside which they lie. `node`: path of the one that the build used.
  // False: there are none, or that node is another one by now.
  [[nodiscard]] bool load(const char* main_js, const char* node);
  // Appends them. They live as long as this does.
  void add_to(sys::Array<char*>& args) noexcept;

 private:
  static constexpr size_t kMostBytes = 512;
  char text_[kMostBytes] = {};
  size_t begin_ = 0;  // behind the line that names node
  size_t end_ = 0;
};

}  // namespace tsrunc::launcher
