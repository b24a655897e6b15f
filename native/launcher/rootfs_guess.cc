#include "launcher/rootfs_guess.h"

#include <cstddef>

namespace tsrunc::launcher {
namespace {

void skip_space(std::string_view& text) noexcept {
  const size_t at = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(at == std::string_view::npos ? text.size() : at);
}

[[nodiscard]] bool skip(std::string_view& text, char one) noexcept {
  skip_space(text);
  if (text.empty() || text.front() != one) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// Behind `key`, its colon and `opening`. False: `key` is no name there, or there is none left.
[[nodiscard]] bool skip_to(std::string_view& text, std::string_view key, char opening) noexcept {
  for (size_t at = text.find(key); at != std::string_view::npos; at = text.find(key)) {
    text.remove_prefix(at + key.size());
    if (skip(text, ':') && skip(text, opening)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string_view guess_root_path(std::string_view config) noexcept {
  if (!skip_to(config, "\"root\"", '{')) {
    return {};
  }
  // It has no objects within.
  std::string_view root = config.substr(0, config.find('}'));
  if (!skip_to(root, "\"path\"", '"')) {
    return {};
  }
  const std::string_view path = root.substr(0, root.find('"'));
  return path.size() == root.size() || path.find('\\') != std::string_view::npos ? std::string_view{} : path;
}

}  // namespace tsrunc::launcher
