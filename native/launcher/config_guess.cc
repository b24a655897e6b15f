#include "launcher/config_guess.h"

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

// A text up to its closing quote, empty for one without it and where it is not what it stands for.
[[nodiscard]] std::string_view plain_text(std::string_view rest) noexcept {
  const std::string_view text = rest.substr(0, rest.find('"'));
  return text.size() == rest.size() || text.find('\\') != std::string_view::npos ? std::string_view{} : text;
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
  return plain_text(root);
}

std::string_view guess_namespaces(std::string_view config) noexcept {
  if (!skip_to(config, "\"namespaces\"", '[')) {
    return {};
  }
  const size_t end = config.find(']');
  return end == std::string_view::npos ? std::string_view{} : config.substr(0, end);
}

std::string_view take_path(std::string_view& namespaces) noexcept {
  while (skip_to(namespaces, "\"path\"", '"')) {
    const std::string_view path = plain_text(namespaces);
    if (!path.empty() && path.front() == '/') {
      namespaces.remove_prefix(path.size());
      return path;
    }
  }
  return {};
}

}  // namespace tsrunc::launcher
