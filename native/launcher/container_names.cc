#include "launcher/container_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstring>

#include "engine/container_id.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/json_text.h"

namespace tsrunc::launcher {
namespace {

using sys::Array;
using sys::Failure;
using sys::kOk;

[[nodiscard]] int compare_names(const void* a, const void* b) {
  return std::strcmp(static_cast<const char*>(a), static_cast<const char*>(b));
}

class Expression {
 public:
  // 0, or what regerror(3) knows.
  [[nodiscard]] int compile(const char* text) noexcept {
    code_ = ::regcomp(&compiled_, text, REG_EXTENDED | REG_NOSUB);
    return code_;
  }
  void describe(char* out, size_t size) const noexcept { (void)::regerror(code_, &compiled_, out, size); }
  [[nodiscard]] bool matches(const char* name) const noexcept {
    return ::regexec(&compiled_, name, 0, nullptr, 0) == 0;
  }

  Expression() noexcept = default;
  ~Expression() {
    if (code_ == 0) {
      ::regfree(&compiled_);
    }
  }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

 private:
  regex_t compiled_{};
  int code_ = -1;
};

}  // namespace

Failure read_container_names(const char* root, Array<ContainerName>& out) {
  static Array<char> path;
  path.clear();
  if (root != nullptr) {
    add_text(path, root);
  } else {
    add_default_root(path);
  }
  path.push(0);
  DIR* stream = ::opendir(path.data());
  if (stream == nullptr) {
    return errno == ENOENT ? kOk : sys::fail("open", path.data());
  }
  while (const dirent* entry = ::readdir(stream)) {
    struct stat about {};
    if (engine::valid_container_id(entry->d_name) &&
        ::fstatat(::dirfd(stream), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(about.st_mode)) {
      ContainerName name{};
      std::memcpy(name.text, entry->d_name, ::strnlen(entry->d_name, sizeof name.text - 1));
      out.push(name);
    }
  }
  ::closedir(stream);
  if (!out.empty()) {
    ::qsort(out.data(), out.size(), sizeof(ContainerName), compare_names);
  }
  return kOk;
}

int for_matching(const Arguments& arguments, Logger& log,
                 int (*act)(const Arguments& arguments, const char* id, Logger& log)) {
  Expression expression;
  if (expression.compile(arguments.positionals[0]) != 0) {
    char why[128];
    expression.describe(why, sizeof why);
    Array<char> message;
    add_text(message, "--regex ");
    add_json_string(message, arguments.positionals[0]);
    add_text(message, ": ");
    add_text(message, why);
    message.push(0);
    log.error(message.data());
    return 1;
  }
  Array<ContainerName> names;
  if (const Failure failure = read_container_names(arguments.root, names); failure) {
    log.error(Sentence("", failure).text);
    return 1;
  }
  int result = 0;
  for (const ContainerName& name : names) {
    if (expression.matches(name.text) && act(arguments, name.text, log) != 0) {
      result = 1;
    }
  }
  return result;
}

}  // namespace tsrunc::launcher
