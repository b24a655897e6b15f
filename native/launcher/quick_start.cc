#include "launcher/quick_start.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstring>

#include "launcher/called_container.h"
#include "launcher/node.h"
#include "launcher/planner_call.h"
#include "launcher/planner_refusal.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

// What is left until a call is not short.
class Room {
 public:
  void take(size_t bytes) noexcept { left_ -= bytes < left_ ? bytes : left_; }
  // Of procfs and the like nobody knows how much there is: they say 0. What is not there, node says.
  void take_file(int directory, const char* path) noexcept {
    struct stat about {};
    const bool known =
        ::fstatat(directory, path, &about, 0) == 0 && S_ISREG(about.st_mode) && about.st_size > 0;
    take(known ? static_cast<size_t>(about.st_size) : kShort);
  }
  [[nodiscard]] bool left() const noexcept { return left_ > 0; }

 private:
  size_t left_ = kShort;
};

void take_bundle(const PlannerCall& call, Room& room) {
  const sys::UniqueFd bundle(::open(call.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!bundle.valid() || goes_up(call.bundle) || goes_up(call.config)) {
    room.take(kShort);
    return;
  }
  room.take_file(bundle.get(), call.config);
}

void take_container(const PlannerCall& call, Room& room) {
  if (call.reads_input || (call.file != nullptr && goes_up(call.file))) {
    room.take(kShort);
    return;
  }
  if (call.file != nullptr) {
    room.take_file(AT_FDCWD, call.file);
  }
  sys::Array<char> root;
  add_root(call, root);
  const sys::UniqueFd directory = open_called(root.data(), call.container);
  for (const char* name : {"plan", "state"}) {
    room.take_file(directory.get(), name);
  }
}

}  // namespace

bool is_short(int argc, const char* const* argv) {
  PlannerCall call;
  if (!parse_planner_call(argc, argv, call)) {
    return false;
  }
  Room room;
  for (int i = 0; i < argc; ++i) {
    room.take(std::strlen(argv[i]) + 1);
  }
  sys::Array<char*> environment;
  add_environment(environment);
  for (const char* entry : environment) {
    room.take(std::strlen(entry) + 1);
  }
  if (room.left()) {
    call.container == nullptr ? take_bundle(call, room) : take_container(call, room);
  }
  return room.left();
}

bool QuickStart::load(const char* main_js, const char* node) {
  char path[PATH_MAX];
  sys::Text(path).add(main_js, static_cast<size_t>(std::strrchr(main_js, '/') - main_js)).add("/quick-start");
  const auto length = sys::read_file(AT_FDCWD, path, text_, sizeof text_);
  struct stat about {};
  // A file that is cut could have half of an option.
  if (!length.ok() || *length == 0 || text_[*length - 1] != '\n' || ::stat(node, &about) != 0) {
    return false;
  }
  constexpr uint64_t kSecond = 1000000000;
  char line[64];
  sys::Text first(line);
  first.add("node ").add(static_cast<uint64_t>(about.st_size)).add(" ");
  first.add(static_cast<uint64_t>(about.st_mtim.tv_sec) * kSecond +
            static_cast<uint64_t>(about.st_mtim.tv_nsec));
  first.add("\n");
  if (std::strncmp(text_, line, first.size()) != 0) {
    return false;
  }
  begin_ = first.size();
  end_ = *length;
  // Whatever is no option would be the program that node runs.
  for (size_t at = begin_; at < end_; at += std::strcspn(text_ + at, "\n") + 1) {
    if (std::strncmp(text_ + at, "--", 2) != 0 || text_[at + 2] == '\n') {
      return false;
    }
  }
  return begin_ < end_;
}

void QuickStart::add_to(sys::Array<char*>& args) noexcept {
  for (size_t at = begin_; at < end_;) {
    const size_t length = std::strcspn(text_ + at, "\n");
    text_[at + length] = 0;
    args.push(text_ + at);
    at += length + 1;
  }
}

}  // namespace tsrunc::launcher
