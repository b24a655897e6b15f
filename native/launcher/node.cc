#include "launcher/node.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "launcher/describe.h"
#include "launcher/handoff.h"
#include "launcher/log.h"
#include "launcher/planned.h"
#include "launcher/quick_start.h"
#include "launcher/sealed.h"
#include "launcher/trace_file.h"
#include "sys/array.h"
#include "sys/kernel.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

#ifndef TSRUNC_NODE
#define TSRUNC_NODE ""
#endif

namespace tsrunc::launcher {
namespace {

// Where node is looked for before PATH, which Podman's kill and delete do not have. The build's own comes
// first.
constexpr const char* kNodes[] = {TSRUNC_NODE, "/usr/local/bin/node", "/usr/bin/node", "/usr/bin/nodejs"};
// Beside build/Release/tsrunc in a source tree, beside bin/tsrunc where it is installed.
constexpr const char* kDists[] = {"/../../dist/", "/../lib/tsrunc/dist/"};
constexpr char kMain[] = "main.js";
constexpr char kBundle[] = "bundle.js";

constexpr const char* kOwnVariables[] = {kHandoffVariable, kPlanVariable,       kAskedVariable,
                                         kColdVariable,    kConsideredVariable, kTraceVariable};

[[nodiscard]] bool starts_with(const char* text, const char* prefix) noexcept {
  return std::strncmp(text, prefix, std::strlen(prefix)) == 0;
}

// A process that stays has more use for memory than for speed.
constexpr const char* kResidentOptions[] = {"--max-semi-space-size=1", "--v8-pool-size=1", "--no-warnings"};

constexpr char kUnreadable[] =
    "permission denied: this user must be able to read tsrunc's JavaScript and to enter the directories "
    "above it; "
    "install tsrunc outside of another user's home";

// The C library makes a thread by clone3(2), and otherwise only where that is unknown (ENOSYS): beneath a
// filter that answers EPERM, as Docker's did before 20.10.10, node ends with an assertion of its own.
constexpr char kNoThreads[] =
    "clone3: operation not permitted: node can start no thread, and tsrunc no container; where tsrunc runs "
    "in a container, that one's system call filter must allow clone3";

[[nodiscard]] sys::Failure check_threads() noexcept {
  const int code = sys::clone3_denial();
  return code == 0 || code == ENOSYS
             ? sys::kOk
             : sys::fail(code, "clone3", nullptr, code == EPERM ? kNoThreads : nullptr);
}

class NodeSearch {
 public:
  NodeSearch(char** argv, char** env) noexcept : argv_(argv), env_(env) {}

  // Returns only if no node could be executed; the errno that says most is left in code().
  void run() noexcept {
    for (const char* path : kNodes) {
      attempt(path);
    }
    const char* search = ::getenv("PATH");
    for (const char* rest = search == nullptr ? "" : search; *rest != 0;) {
      const size_t length = std::strcspn(rest, ":");
      char candidate[PATH_MAX];
      sys::Text text(candidate);
      text.add(rest, length).add("/node");
      if (*candidate == '/' && !text.cut()) {
        attempt(candidate);
      }
      rest += length + (rest[length] == ':' ? 1 : 0);
    }
  }
  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] const char* path() const noexcept { return path_; }

 private:
  void attempt(const char* path) noexcept {
    if (*path == 0) {
      return;
    }
    (void)::execve(path, argv_, env_);
    if (errno != ENOENT && errno != ENOTDIR) {
      code_ = errno;
      sys::Text(path_).add(path);
    }
  }

  char** argv_;
  char** env_;
  int code_ = ENOENT;
  char path_[PATH_MAX] = {};
};

[[nodiscard]] int give_up(int code, const char* what, const sys::Failure& failure) {
  Logger("").error(Sentence(what, failure).text);
  return code;
}

// The verb is the first word that is no option and no value of one.
[[nodiscard]] bool is_exec(int argc, char** argv) noexcept {
  constexpr const char* kSwitches[] = {"--debug", "--systemd-cgroup", "--help", "--version", "-h", "-v"};
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-') {
      return std::strcmp(argv[i], "exec") == 0;
    }
    bool alone = std::strchr(argv[i], '=') != nullptr;
    for (const char* name : kSwitches) {
      alone = alone || std::strcmp(argv[i], name) == 0;
    }
    i += alone ? 0 : 1;
  }
  return false;
}

}  // namespace

namespace {

// The directory of this executable.
[[nodiscard]] bool find_self(char (&out)[PATH_MAX]) noexcept {
  const ssize_t length = ::readlink("/proc/self/exe", out, sizeof out - 1);
  if (length <= 0) {
    return false;
  }
  out[length] = 0;
  *std::strrchr(out, '/') = 0;
  return true;
}

}  // namespace

bool stat_bundle(struct stat& out) noexcept {
  char path[PATH_MAX];
  if (!find_self(path)) {
    return false;
  }
  const size_t length = std::strlen(path);
  for (const char* beside : kDists) {
    sys::Text text(path + length, sizeof path - length);
    text.add(beside).add(kBundle);
    if (!text.cut() && ::stat(path, &out) == 0) {
      return true;
    }
  }
  return false;
}

sys::Failure find_main(char (&out)[PATH_MAX], char (&place)[PATH_MAX]) noexcept {
  char self[PATH_MAX];
  if (!find_self(self)) {
    return sys::fail("readlink", "/proc/self/exe");
  }
  for (const char* beside : kDists) {
    char candidate[PATH_MAX];
    sys::Text text(candidate);
    text.add(self).add(beside).add(kMain);
    if (!text.cut() && ::realpath(candidate, out) != nullptr) {
      if (::access(out, R_OK) == 0) {
        return sys::kOk;
      }
      sys::Text(place).add(out);
      return sys::fail(errno, "open", place, kUnreadable);
    }
    if (const int code = errno; code != ENOENT && code != ENOTDIR) {
      sys::Text(place).add(candidate);
      return sys::fail(code, "open", place, code == EACCES ? kUnreadable : nullptr);
    }
  }
  return sys::fail(ENOENT, "open", nullptr,
                   "no such file or directory: dist/main.js is neither in the source tree of "
                   "this executable nor in ../lib/tsrunc; was `npm run build` run?");
}

int run_shim_node(int argc, char** argv) {
  char main_js[PATH_MAX];
  char place[PATH_MAX];
  if (const sys::Failure failure = find_main(main_js, place); failure) {
    return give_up(1, "start node", failure);
  }
  if (const sys::Failure failure = check_threads(); failure) {
    return give_up(1, "start node", failure);
  }
  char shim_js[PATH_MAX];
  *std::strrchr(main_js, '/') = 0;
  sys::Text(shim_js).add(main_js).add("/shim.js");
  sys::Array<char*> env;
  add_environment(env);
  env.push(nullptr);
  sys::Array<char*> args;
  args.push(argv[0]);
  for (const char* option : kResidentOptions) {
    args.push(const_cast<char*>(option));
  }
  args.push(shim_js);
  args.append(argv + 1, static_cast<size_t>(argc - 1));
  args.push(nullptr);
  NodeSearch search(args.data(), env.data());
  search.run();
  return give_up(1, "start node", sys::fail(search.code(), "execve", search.path(), nullptr));
}

void add_environment(sys::Array<char*>& out) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool ours = starts_with(*entry, "NODE_");
    for (const char* name : kOwnVariables) {
      ours = ours || starts_with(*entry, name);
    }
    if (!ours) {
      out.push(*entry);
    }
  }
}

namespace {

// The bytes for node to read; invalid where there are none, or no memory for them.
[[nodiscard]] sys::UniqueFd hand_over(const sys::Array<char>& bytes) {
  if (bytes.empty()) {
    return {};
  }
  auto memory = sealed_bytes("considered", bytes.data(), bytes.size());
  if (!memory.ok() || ::fcntl(memory->get(), F_SETFD, 0) != 0) {
    return {};
  }
  return std::move(*memory);
}

// Node's command line: options, program, and the words of the call.
void add_words(sys::Array<char*>& out, char* main_js, int argc, char** argv, QuickStart* quick) {
  static char name[] = "node";
  out.push(name);
  if (quick != nullptr) {
    quick->add_to(out);
  }
  out.push(main_js);
  if (argc > 1) {
    out.append(argv + 1, static_cast<size_t>(argc - 1));
  }
  out.push(nullptr);
}

}  // namespace

int run_node(int argc, char** argv, const sys::Array<char>& considered) {
  const int failed = is_exec(argc, argv) ? kExecFailed : 1;
  char main_js[PATH_MAX];
  char place[PATH_MAX];
  if (const sys::Failure failure = find_main(main_js, place); failure) {
    return give_up(failed, "start node", failure);
  }
  if (const sys::Failure failure = check_threads(); failure) {
    return give_up(failed, "start node", failure);
  }
  const auto record = note_caller();
  if (!record.ok()) {
    return give_up(failed, "note the caller's state", record.failure());
  }
  char variable[64];
  sys::Text(variable).add(kHandoffVariable).add("=").add(static_cast<uint64_t>(record->get()));
  sys::Array<char*> env;
  add_environment(env);
  env.push(variable);
  char request[64];
  // Behind the record of the caller, which is to have no descriptor that the caller has not.
  sys::UniqueFd memory = hand_over(considered);
  if (memory.valid()) {
    sys::Text(request).add(kConsideredVariable).add("=").add(static_cast<uint64_t>(memory.get()));
    env.push(request);
  }
  char trace[96];
  if (trace_for_node(trace, sizeof trace)) {
    env.push(trace);
  }
  env.push(nullptr);
  QuickStart quick;
  if (is_short(argc, argv) && quick.load(main_js, TSRUNC_NODE)) {
    sys::Array<char*> args;
    add_words(args, main_js, argc, argv, &quick);
    (void)::execve(TSRUNC_NODE, args.data(), env.data());  // whatever it fails with, the search says
  }
  sys::Array<char*> args;
  add_words(args, main_js, argc, argv, nullptr);
  NodeSearch search(args.data(), env.data());
  search.run();
  if (search.code() == ENOENT) {
    return give_up(failed, "start node",
                   sys::fail(ENOENT, "execve", nullptr,
                             "no such file or directory: node is neither where it was when tsrunc was "
                             "built, nor in /usr/local/bin or /usr/bin, nor in PATH"));
  }
  return give_up(failed, "start node", sys::fail(search.code(), "execve", search.path(), nullptr));
}

}  // namespace tsrunc::launcher
