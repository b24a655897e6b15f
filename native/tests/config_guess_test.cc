#include "launcher/config_guess.h"

#include <string>
#include <string_view>

#include "tests/test.h"

namespace tsrunc::tests {
namespace {

[[nodiscard]] std::string guess(const char* config) {
  return std::string(launcher::guess_root_path(config));
}

// Each path with a "|" behind it.
[[nodiscard]] std::string entered(const char* config) {
  std::string_view list = launcher::guess_namespaces(config);
  std::string out;
  for (std::string_view path = launcher::take_path(list); !path.empty(); path = launcher::take_path(list)) {
    out.append(path).push_back('|');
  }
  return out;
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

TEST(namespaces_of_a_configuration_are_guessed) {
  CHECK_TEXT(entered(R"({"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/a"},
                         { "path" : "/b", "type":"ipc"}], "path": "/no"})")
                 .c_str(),
             "/run/netns/a|/b|");
  // What is relative, empty or has an escape is not answered before it is asked.
  CHECK_TEXT(entered(R"("namespaces":[{"path":"a"},{"path":""},{"path":"/\"},{"path":"/c"}])").c_str(),
             "/c|");
  for (const char* config :
       {"", "\"namespaces\"", R"("namespaces":)", R"("namespaces":[)", R"("namespaces":[])",
        R"("namespaces":[{"path":"/a"})", R"("namespaces":[{"path":"/a])", R"("namespaces":{"path":"/a"}])",
        R"("namespaces":[{"path":7}])"}) {
    CHECK_TEXT(entered(config).c_str(), "");
  }
}

}  // namespace tsrunc::tests
