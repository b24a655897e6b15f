#include "launcher/planner_request.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "launcher/called_container.h"
#include "launcher/handoff.h"
#include "launcher/node.h"
#include "launcher/planner_answers.h"
#include "launcher/planner_words.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

using Bytes = sys::Array<char>;

[[nodiscard]] FileIdentity identity_of(const struct stat& about) noexcept {
  constexpr uint64_t kSecond = 1000000000;
  return {
      about.st_dev, about.st_ino, static_cast<uint64_t>(about.st_size),
      static_cast<uint64_t>(about.st_mtim.tv_sec) * kSecond + static_cast<uint64_t>(about.st_mtim.tv_nsec)};
}

[[nodiscard]] bool identify_build(RequestHeader& header) {
  struct stat executable {};
  struct stat bundle {};
  if (::stat("/proc/self/exe", &executable) != 0 || !stat_bundle(bundle)) {
    return false;
  }
  header.executable = identity_of(executable);
  header.bundle = identity_of(bundle);
  return true;
}

[[nodiscard]] bool add_cwd(Bytes& out) {
  const size_t at = add_room(out, PATH_MAX);
  return keep_word(out, at, ::getcwd(out.data() + at, PATH_MAX) != nullptr && out[at] == '/');
}

// A regular file of bounded size beneath `directory`; node says what is wrong with anything else.
[[nodiscard]] bool add_file(int directory, const char* path, int flags, uint32_t most, Bytes& out) {
  struct stat about {};
  // fstatat(2) first: opening a named pipe or a device can have effects.
  if (::fstatat(directory, path, &about, 0) != 0 || !S_ISREG(about.st_mode) || about.st_size > most) {
    return false;
  }
  const sys::UniqueFd file(::openat(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags));
  const size_t before = out.size();
  const auto size = static_cast<size_t>(about.st_size);
  out.resize(before + size);
  char more = 0;
  // A file that changes while it is read is node's too.
  return file.valid() && !sys::read_exactly(file.get(), out.data() + before, size, path) &&
         ::read(file.get(), &more, 1) == 0;
}

class Composer {
 public:
  explicit Composer(Bytes& out) noexcept : out_(out) {
    std::memcpy(header_.magic, kPlannerMagic, sizeof header_.magic);
    // At once what most have, and PATH_MAX for the last path.
    constexpr size_t kMost = 16 << 10;
    out_.resize(kMost);
    out_.resize(sizeof header_);
  }
  void end(Section section) {
    header_.sizes[static_cast<size_t>(section)] =
        static_cast<uint32_t>(out_.size() - begun_ - sizeof header_);
    begun_ = out_.size() - sizeof header_;
  }
  [[nodiscard]] bool finish() {
    if (!identify_build(header_)) {
      return false;
    }
    std::memcpy(out_.data(), &header_, sizeof header_);
    return true;
  }

 private:
  Bytes& out_;
  RequestHeader header_{};
  size_t begun_ = 0;
};

// What a container is made of.
[[nodiscard]] bool add_bundle(const PlannerCall& call, Composer& composer, Bytes& out) {
  const size_t bundle = out.size();
  if (goes_up(call.bundle) || goes_up(call.config) || !add_real_path(out, call.bundle)) {
    return false;
  }
  composer.end(Section::kBundle);
  const size_t config = out.size();
  const sys::UniqueFd directory(::open(out.data() + bundle, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || !add_file(directory.get(), call.config, 0, kMostConfigBytes, out)) {
    return false;
  }
  composer.end(Section::kConfig);
  add_guessed_answers(out, directory.get(), bundle, config);
  composer.end(Section::kAnswers);
  return true;
}

// What is wanted of a container that is there.
[[nodiscard]] bool add_container(const PlannerCall& call, const Surroundings& around, Composer& composer,
                                 Bytes& out) {
  if (call.reads_input) {
    out.append(around.input.data(), around.input.size());
  } else if (call.file != nullptr &&
             (goes_up(call.file) || !add_file(AT_FDCWD, call.file, 0, kMostConfigBytes, out))) {
    return false;
  }
  composer.end(Section::kConfig);
  const sys::UniqueFd directory = open_called(around.root, call.container);
  if (!directory.valid() || !add_file(directory.get(), "plan", O_NOFOLLOW, kMostPlanBytes, out)) {
    return false;
  }
  composer.end(Section::kSavedPlan);
  if (!add_file(directory.get(), "state", O_NOFOLLOW, kMostPlanBytes, out)) {
    return false;
  }
  composer.end(Section::kSavedState);
  return true;
}

}  // namespace

bool compose_request(int argc, const char* const* argv, const PlannerCall& call, const Surroundings& around,
                     Bytes& out) {
  Composer composer(out);
  for (int i = 1; i < argc; ++i) {
    add_word(out, argv[i]);
  }
  composer.end(Section::kArgv);
  if (!add_cwd(out)) {
    return false;
  }
  composer.end(Section::kCwd);
  sys::Array<char*> environment;
  add_environment(environment);
  for (const char* entry : environment) {
    add_word(out, entry);
  }
  composer.end(Section::kEnvironment);
  if (add_caller(out, around.socket)) {
    return false;
  }
  composer.end(Section::kRecord);
  const bool whole = call.container == nullptr ? add_bundle(call, composer, out)
                                               : add_container(call, around, composer, out);
  return whole && composer.finish();
}

}  // namespace tsrunc::launcher
