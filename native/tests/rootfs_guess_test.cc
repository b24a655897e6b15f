#include "launcher/rootfs_guess.h"

#include <string>

#include "tests/test.h"

namespace tsrunc::tests {
namespace {

[[nodiscard]] std::string guess(const char* config) {
  return std::string(launcher::guess_root_path(config));
}

}  // namespace

TEST(root_of_a_configuration_is_guessed) {
  CHECK_TEXT(guess(R"({"root":{"path":"rootfs"}})").c_str(), "rootfs");
  CHECK_TEXT(guess("{ \"root\" : {\n\t\"readonly\": true,\r\n \"path\" :\"/a/b\" } }").c_str(), "/a/b");
  // A variable of that name, or a mount's text, is no object.
  CHECK_TEXT(guess(R"({"process":{"env":["root","\"root\"",{}]},"root":{"path":"x"}})").c_str(), "x");
  CHECK_TEXT(guess(R"({"annotations":{"root":"{\"path\""},"root":{"path":"y"}})").c_str(), "y");
}

TEST(root_that_is_not_seen_at_once_is_none) {
  for (const char* config :
       {"", "{", "\"root\"", "\"root\":", "\"root\":{", R"("root":{"path")", R"("root":{"path":)",
        R"("root":{"path":")", R"("root":{"path":"a)", R"("root":{"path":"a\"b"})", R"("root":{"path":7})",
        R"("root":{},"mounts":[{"path":"a"}])", R"("root":{"path":""})"}) {
    CHECK_TEXT(guess(config).c_str(), "");
  }
}

}  // namespace tsrunc::tests
