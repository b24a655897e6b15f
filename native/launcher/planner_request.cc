#include "launcher/planner_request.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "launcher/called_container.h"
#include "launcher/handoff.h"
#include "launcher/node.h"
#include "launcher/rootfs_guess.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

using Bytes = sys::Array<char>;

// A list of devices may have a thousand lines.
constexpr size_t kMostLimitBytes = size_t{64} << 10;
// Most have a line. Room for all would be more than the heap has at first.
constexpr size_t kPiece = size_t{4} << 10;

void add_word(Bytes& out, const char* word) {
  out.append(word, std::strlen(word) + 1);
}

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

// Paths are put together where they are sent from: a buffer for each would be a page of the stack for each.
// `most` bytes at the end of `out`; the caller cuts what it has not used. Returns where they begin.
[[nodiscard]] size_t add_room(Bytes& out, size_t most) {
  const size_t at = out.size();
  out.resize(at + most);
  return at;
}

// Cuts behind the word that begins at `at`, or before it.
[[nodiscard]] bool keep_word(Bytes& out, size_t at, bool good) {
  out.resize(good ? at + std::strlen(out.data() + at) + 1 : at);
  return good;
}

// The real path, as a word. `path`: nullptr: the word of `out` that begins at `given`.
[[nodiscard]] bool add_real_path(Bytes& out, const char* path, size_t given = 0) {
  const size_t at = add_room(out, PATH_MAX);
  const char* from = path == nullptr ? out.data() + given : path;
  return keep_word(out, at, ::realpath(from, out.data() + at) != nullptr);
}

// That of a directory.
[[nodiscard]] bool add_real_directory(Bytes& out, const char* path, size_t given = 0) {
  const size_t at = out.size();
  struct stat about {};
  const bool good = add_real_path(out, path, given) && ::stat(out.data() + at, &about) == 0;
  return keep_word(out, at, good && S_ISDIR(about.st_mode));
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

// A directory by that name within a real path has a real path too.
[[nodiscard]] bool is_directory_within(int directory, const char* name) noexcept {
  struct stat about {};
  return std::strchr(name, '/') == nullptr && std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0 &&
         ::fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode);
}

// The answer to what will be asked of a bundle. `directory`: the bundle's; `bundle`, `config`: where its word
// and its configuration begin.
void guess_rootfs(Bytes& out, int directory, size_t bundle, size_t config) {
  const size_t before = out.size();
  const std::string_view named = guess_root_path({out.data() + config, before - config});
  if (named.empty()) {
    return;
  }
  const auto at = static_cast<size_t>(named.data() - out.data());
  const bool absolute = named.front() == '/';
  // "/" has its slash already.
  const size_t length = absolute || out[bundle + 1] == 0 ? 0 : std::strlen(out.data() + bundle);
  if (length + 1 + named.size() >= PATH_MAX) {
    return;
  }
  out.push('d');
  const size_t path = add_room(out, length + 1 + named.size() + 1);
  char* to = out.data() + path;
  std::memcpy(to, out.data() + bundle, length);
  to += length;
  if (!absolute) {
    *to++ = '/';
  }
  std::memcpy(to, out.data() + at, named.size());
  to[named.size()] = 0;
  out.resize(path + std::strlen(out.data() + path) + 1);
  // Most are a name in the bundle: of that path, all but the name was looked at already.
  if (!absolute && is_directory_within(directory, out.data() + path + length + 1)) {
    const size_t real = add_room(out, out.size() - path);
    std::memcpy(out.data() + real, out.data() + path, real - path);
    return;
  }
  if (!add_real_directory(out, nullptr, path)) {
    out.resize(before);
  }
}

[[nodiscard]] bool is_of_cgroup(int file) noexcept {
  struct stat about {};
  struct statfs system {};
  return ::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && ::fstatfs(file, &system) == 0 &&
         (system.f_type == CGROUP_SUPER_MAGIC || system.f_type == CGROUP2_SUPER_MAGIC);
}

// What the file of a cgroup says behind "=", or nothing where it is not there. Nothing else is read, whatever
// a planner asks for.
[[nodiscard]] bool answer_limit(const char* question, Bytes& out) {
  add_word(out, question);
  const sys::UniqueFd file(::open(question + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) {
    const bool absent = errno == ENOENT;
    out.push(0);
    return absent;
  }
  if (!is_of_cgroup(file.get())) {
    return false;
  }
  out.push('=');
  const size_t begin = out.size();
  for (ssize_t got = 1; got > 0 && out.size() - begin < kMostLimitBytes;) {
    const size_t before = out.size();
    out.resize(before + kPiece);
    got = ::read(file.get(), out.data() + before, kPiece);
    out.resize(before + static_cast<size_t>(got > 0 ? got : 0));
    if (got < 0) {
      return false;
    }
  }
  const bool text = std::memchr(out.data() + begin, 0, out.size() - begin) == nullptr;
  out.push(0);
  return text && out.size() - begin <= kMostLimitBytes;
}

[[nodiscard]] bool answer(const char* question, bool limits, Bytes& out) {
  const char* path = question + 1;
  if (*question == 'l') {
    return limits && answer_limit(question, out);
  }
  if (std::strncmp(question, "d/", 2) == 0) {
    add_word(out, question);
    return add_real_directory(out, path);
  }
  char buffer[64] = {};
  struct stat about {};
  if (::stat(path, &about) == 0) {
    sys::Text(buffer).add(uint64_t{about.st_dev}).add(":").add(uint64_t{about.st_ino});
  }
  add_word(out, question);
  add_word(out, buffer);
  return true;
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
  guess_rootfs(out, directory.get(), bundle, config);
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

bool compose_answers(const char* questions, size_t size, bool limits, Bytes& out) {
  AnswersHeader header{};
  std::memcpy(header.magic, kPlannerMagic, sizeof header.magic);
  out.clear();
  out.resize(sizeof header);
  if (size == 0 || questions[size - 1] != 0) {
    return false;
  }
  for (const char* at = questions; at < questions + size; at += std::strlen(at) + 1) {
    if (std::strlen(at) < 3 || at[1] != '/' || !answer(at, limits, out)) {
      return false;
    }
  }
  header.size = static_cast<uint32_t>(out.size() - sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
  return true;
}

}  // namespace tsrunc::launcher
