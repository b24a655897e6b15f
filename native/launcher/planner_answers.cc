#include "launcher/planner_answers.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "launcher/config_guess.h"
#include "launcher/planner_wire.h"
#include "launcher/planner_words.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

using Bytes = sys::Array<char>;

// A list of devices may have a thousand lines.
constexpr size_t kMostLimitBytes = size_t{64} << 10;
// Most have a line. Room for all would be more than the heap has at first.
constexpr size_t kPiece = size_t{4} << 10;
// There are eight types, of one each.
constexpr int kMostNamespaces = 8;

// The real path of a directory, as a word.
[[nodiscard]] bool add_real_directory(Bytes& out, const char* path, size_t given = 0) {
  const size_t at = out.size();
  struct stat about {};
  const bool good = add_real_path(out, path, given) && ::stat(out.data() + at, &about) == 0;
  return keep_word(out, at, good && S_ISDIR(about.st_mode));
}

// A directory by that name within a real path has a real path too.
[[nodiscard]] bool is_directory_within(int directory, const char* name) noexcept {
  struct stat about {};
  return std::strchr(name, '/') == nullptr && std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0 &&
         ::fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode);
}

// Where a text begins in `out`, which moves when it grows.
struct Text {
  size_t at = 0;
  size_t size = 0;
  [[nodiscard]] std::string_view in(const Bytes& out) const noexcept { return {out.data() + at, size}; }
};

[[nodiscard]] Text place_of(std::string_view text, const Bytes& out) noexcept {
  return text.empty() ? Text{} : Text{static_cast<size_t>(text.data() - out.data()), text.size()};
}

void guess_rootfs(Bytes& out, int directory, size_t bundle, Text config) {
  const size_t before = out.size();
  const std::string_view named = guess_root_path(config.in(out));
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

// The namespace's identity, as a word; an empty one where it cannot be seen.
void add_identity(Bytes& out, const char* path) {
  char text[64] = {};
  struct stat about {};
  if (::stat(path, &about) == 0) {
    sys::Text(text).add(uint64_t{about.st_dev}).add(":").add(uint64_t{about.st_ino});
  }
  add_word(out, text);
}

void guess_entered(Bytes& out, Text config) {
  Text list = place_of(guess_namespaces(config.in(out)), out);
  for (int count = 0; count < kMostNamespaces; ++count) {
    std::string_view rest = list.in(out);
    const Text path = place_of(take_path(rest), out);
    if (path.size == 0 || path.size >= PATH_MAX) {
      return;
    }
    list = place_of(rest, out);
    out.push('n');
    const size_t at = add_room(out, path.size + 1);
    std::memcpy(out.data() + at, path.in(out).data(), path.size);
    out[at + path.size] = 0;
    add_identity(out, out.data() + at);
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
  add_word(out, question);
  add_identity(out, path);
  return true;
}

}  // namespace

void add_guessed_answers(Bytes& out, int directory, size_t bundle, size_t config) {
  const Text text{config, out.size() - config};
  guess_rootfs(out, directory, bundle, text);
  guess_entered(out, text);
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
