// launcher/become_in_place.h, in a child: what it does cannot be undone.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "launcher/become_in_place.h"
#include "launcher/sealed.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

constexpr char kSelf[] = "/proc/self/exe";

// proc(5): the fourth and the fifth word of a line are the device and the inode.
[[nodiscard]] std::string words_of(const struct stat& about) {
  char text[64];
  std::snprintf(text, sizeof text, "%02x:%02x %lu", major(about.st_dev), minor(about.st_dev), about.st_ino);
  return text;
}

[[nodiscard]] bool maps(const std::string& words) {
  std::ifstream file("/proc/self/maps");
  for (std::string line; std::getline(file, line);) {
    if (line.find(" " + words + " ") != std::string::npos) {
      return true;
    }
  }
  return false;
}

int variable = 1;

// What the child finds, as an exit code.
[[nodiscard]] int change(int program) {
  struct stat before {};
  struct stat wanted {};
  struct stat after {};
  (void)::stat(kSelf, &before);
  (void)::fstat(program, &wanted);
  variable = 2;
  if (!maps(words_of(before))) {
    return 1;
  }
  if (!launcher::become_in_place(program)) {
    return 2;
  }
  variable += 1;
  (void)::stat(kSelf, &after);
  if (words_of(after) != words_of(wanted)) {
    return 3;
  }
  if (maps(words_of(before))) {
    return 4;
  }
  return variable == 3 ? 0 : 5;
}

[[nodiscard]] int in_child(int program) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(change(program));
  }
  int status = 0;
  (void)::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(becomes_an_overlay_of_itself_in_place) {
  const sys::UniqueFd overlay = launcher::overlaid_executable(kSelf);
  if (!overlay.valid()) {
    std::fprintf(stderr, "this host mounts no overlay of %s: become_in_place() is not tried\n", kSelf);
    return;
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(in_child(overlay.get()) == 0);
  }
  CHECK(variable == 1);
}

// The kernel takes no file that cannot be executed.
TEST(becomes_nothing_that_cannot_be_executed) {
  const TemporaryDirectory directory;
  const std::string path = std::string(directory.path()) + "/copy";
  {
    std::ifstream in(kSelf, std::ios::binary);
    std::ofstream out(path, std::ios::binary);
    out << in.rdbuf();
  }
  (void)::chmod(path.c_str(), 0600);
  const sys::UniqueFd copy(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(in_child(copy.get()) == 2);
  CHECK(in_child(-1) == 2);
}

}  // namespace
}  // namespace tsrunc::tests
