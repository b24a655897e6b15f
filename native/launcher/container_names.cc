#include "launcher/container_names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstring>

#include "engine/container_id.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/expression.h"
#include "launcher/json_text.h"
#include "sys/directory.h"

namespace tsrunc::launcher {
namespace {

using sys::Array;
using sys::Failure;
using sys::kOk;

[[nodiscard]] int compare_names(const void* a, const void* b) {
  return std::strcmp(static_cast<const char*>(a), static_cast<const char*>(b));
}

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
  while (const dirent* entry = sys::next_entry(stream)) {
    struct stat about {};
    if (engine::valid_container_id(entry->d_name) &&
        ::fstatat(::dirfd(stream), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(about.st_mode)) {
      ContainerName name{};
      std::memcpy(name.text, entry->d_name, ::strnlen(entry->d_name, sizeof name.text - 1));
      out.push(name);
    }
  }
  const Failure failure = errno == 0 ? kOk : sys::fail("getdents64", path.data());
  ::closedir(stream);
  if (!out.empty()) {
    ::qsort(out.data(), out.size(), sizeof(ContainerName), compare_names);
  }
  return failure;
}

int for_matching(const Arguments& arguments, Logger& log,
                 int (*act)(const Arguments& arguments, const char* id, Logger& log)) {
  Expression expression;
  if (!expression.compile(arguments.positionals[0])) {
    Array<char> message;
    add_text(message, "--regex ");
    add_json_string(message, arguments.positionals[0]);
    add_text(message, ": ");
    add_text(message, expression.error());
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
