// A request that comes again and again, as those of health checks and of containers of one configuration, and
// the plan that was made of it, as one piece of memory: a planner has some (addon/repeated_plans.h), and so
// has the disk (kept_plans.h). Knows nothing of node.
//
// Such a request differs from the one that was planned for in no more than what the launcher noted of its
// caller, which the plan does not depend on, in which namespaces there are at the paths that are to be
// entered, as long as none is the caller's own, and in some words of the command line, which the plan has in
// some places, and is the same elsewhere (src/planner/repeats.ts, which finds out).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sys/array.h"

namespace tsrunc::launcher {

// A word of the command line in which requests may differ.
struct RepeatedWord {
  uint32_t index;    // in the command line
  uint32_t is_path;  // else it is an ID
  uint32_t first;    // of its places in the reply, among those of all words
  uint32_t count;    // of them
};

// What an entry is made of.
struct RepeatedParts {
  const RepeatedWord* words;
  size_t word_count;
  const uint32_t* places;
  size_t place_count;
  std::string_view looks;    // add_look()
  std::string_view request;  // with its header
  std::string_view reply;    // with its header
};

// One file that planning has looked at beside the request; a relative path is in the caller's directory of
// proc(5).
void add_look(sys::Array<char>& out, std::string_view path, std::string_view text);

// One of which not the text counts but which file it is: device, inode, size, time.
void add_identity_look(sys::Array<char>& out, std::string_view path);

// Appends an entry; its size is a multiple of eight.
void add_entry(sys::Array<char>& out, const RepeatedParts& parts);

class RepeatedPlan {
 public:
  // The entry at the beginning of some bytes. False: there is no whole one.
  [[nodiscard]] bool read(std::string_view bytes) noexcept;
  // Whether what is put into the reply stays within it. To be asked before anything is: what has read it
  // checks no more than its sizes.
  [[nodiscard]] bool is_sound() const noexcept;
  // Whether a request is one of these.
  [[nodiscard]] bool is_for(std::string_view request) const noexcept;
  // Whether what was looked at beside such a request is the same. `caller`: its directory of proc(5).
  [[nodiscard]] bool looks_the_same(std::string_view request, int caller) const noexcept;
  // The reply to such a request.
  void answer(std::string_view request, sys::Array<char>& out) const noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view request() const noexcept { return request_; }

 private:
  [[nodiscard]] RepeatedWord word_at(size_t at) const noexcept;
  [[nodiscard]] bool find_word(size_t index, RepeatedWord& out) const noexcept;
  [[nodiscard]] uint32_t place_at(size_t at) const noexcept;
  [[nodiscard]] bool is_same_call(std::string_view given) const noexcept;

  std::string_view words_;
  std::string_view places_;
  std::string_view looks_;
  std::string_view request_;
  std::string_view reply_;
  size_t size_ = 0;
};

}  // namespace tsrunc::launcher
