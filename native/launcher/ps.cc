#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "engine/host/cgroup_processes.h"
#include "engine/trace.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/json_text.h"
#include "launcher/verbs.h"
#include "sys/characters.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

using sys::Array;
using sys::Failure;
using sys::kOk;

[[nodiscard]] Failure pids_of(const Container& container, Array<pid_t>& out) {
  const engine::Span span("cgroup", "find the processes");
  TSRUNC_TRY(engine::list_processes(container.plan.header.cgroup_paths, out));
  if (out.empty() && container.status != engine::Status::kStopped) {
    out.push(container.saved.init.pid);
  }
  return kOk;
}

void add_number(Array<char>& out, pid_t pid) {
  char number[24];
  sys::Text(number).add(static_cast<uint64_t>(pid));
  add_text(out, number);
}

void add_json(Array<char>& out, const Array<pid_t>& pids) {
  out.push('[');
  for (size_t i = 0; i < pids.size(); ++i) {
    if (i > 0) {
      out.push(',');
    }
    add_number(out, pids[i]);
  }
  add_text(out, "]\n");
}

// What the host's ps(1) prints for these words.
class HostPs {
 public:
  // EPROTO: ps itself has failed, and has said why on stderr.
  [[nodiscard]] Failure run(const char* const* words, int count, Array<char>& out) {
    Array<char*> argv;
    char name[] = "ps";
    char usual[] = "-ef";
    argv.push(name);
    for (int i = 0; i < count; ++i) {
      argv.push(const_cast<char*>(words[i]));
    }
    if (count == 0) {
      argv.push(usual);
    }
    argv.push(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return sys::fail("pipe2");
    }
    const sys::UniqueFd in(ends[0]);
    sys::UniqueFd written(ends[1]);
    TSRUNC_TRY(start(argv.data(), written.get()));
    written.reset();
    TSRUNC_TRY(read_all(in.get(), out));
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0 ? kOk : sys::fail(EPROTO, "wait4", "ps", "the host's ps has failed");
  }

 private:
  // Engines call without PATH.
  [[nodiscard]] Failure start(char** argv, int out) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    int code = ENOENT;
    for (const char* path : {"/usr/bin/ps", "/bin/ps"}) {
      code = code == ENOENT ? ::posix_spawn(&pid_, path, &actions, nullptr, argv, environ) : code;
    }
    ::posix_spawn_file_actions_destroy(&actions);
    return code == 0 ? kOk : sys::fail(code, "posix_spawn", "/usr/bin/ps", nullptr);
  }

  [[nodiscard]] static Failure read_all(int fd, Array<char>& out) {
    char buffer[4096];
    for (;;) {
      const ssize_t length = ::read(fd, buffer, sizeof buffer);
      if (length == 0) {
        return kOk;
      }
      if (length < 0 && errno != EINTR) {
        return sys::fail("read", "the output of ps");
      }
      out.append(buffer, length > 0 ? static_cast<size_t>(length) : 0);
    }
  }

  pid_t pid_ = 0;
};

// The `wanted`th word of a line; an empty one if there is none.
struct Word {
  const char* at = nullptr;
  size_t size = 0;
};
[[nodiscard]] Word word_of(const char* line, const char* end, size_t wanted) noexcept {
  for (size_t index = 0; line < end; ++index) {
    while (line < end && sys::is_space(*line)) {
      ++line;
    }
    const char* begin = line;
    while (line < end && !sys::is_space(*line)) {
      ++line;
    }
    if (index == wanted || begin == line) {
      return {begin, static_cast<size_t>(line - begin)};
    }
  }
  return {};
}

[[nodiscard]] bool is_number(const Word& word) noexcept {
  for (size_t i = 0; i < word.size; ++i) {
    if (!sys::is_digit(word.at[i])) {
      return false;
    }
  }
  return word.size > 0;
}

// Where pids stand in the lines of ps: as which word and, since ps puts numbers below the end of their
// heading, where they end.
struct PidColumn {
  size_t index = 0;
  size_t end = 0;
  bool found = false;
};

[[nodiscard]] PidColumn find_column(const char* line, const char* stop) noexcept {
  for (size_t index = 0;; ++index) {
    const Word word = word_of(line, stop, index);
    if (word.size == 0) {
      return {};
    }
    if (word.size == 3 && std::memcmp(word.at, "PID", 3) == 0) {
      return {index, static_cast<size_t>(word.at + word.size - line), true};
    }
  }
}

// Names with blanks in a column before move the words of a line, long ones its columns; hardly both at once.
[[nodiscard]] Word pid_in(const char* line, const char* stop, const PidColumn& column) noexcept {
  const Word word = word_of(line, stop, column.index);
  if (is_number(word) || static_cast<size_t>(stop - line) < column.end) {
    return word;
  }
  const char* end = line + column.end;
  const char* begin = end;
  while (begin > line && !sys::is_space(begin[-1])) {
    --begin;
  }
  return {begin, static_cast<size_t>(end - begin)};
}

[[nodiscard]] bool is_listed(const Word& word, const Array<pid_t>& pids) noexcept {
  for (const pid_t pid : pids) {
    char number[24];
    sys::Text text(number);
    text.add(static_cast<uint64_t>(pid));
    if (text.size() == word.size && std::memcmp(number, word.at, word.size) == 0) {
      return true;
    }
  }
  return false;
}

// The heading and the lines of these processes, by the column PID as runc does.
[[nodiscard]] Failure add_lines(Array<char>& out, const Array<char>& table, const Array<pid_t>& pids) {
  const char* end = table.data() + table.size();
  PidColumn column;
  for (const char* line = table.data(); line < end;) {
    const void* found = std::memchr(line, '\n', static_cast<size_t>(end - line));
    const char* stop = found == nullptr ? end : static_cast<const char*>(found);
    const bool heading = line == table.data();
    if (heading) {
      column = find_column(line, stop);
    }
    if (!column.found) {
      return sys::fail(EINVAL, "ps", nullptr, "what ps prints with these options has no column PID");
    }
    if (heading || is_listed(pid_in(line, stop, column), pids)) {
      out.append(line, static_cast<size_t>(stop - line));
      out.push('\n');
    }
    line = stop + 1;
  }
  return kOk;
}

[[nodiscard]] Failure add_table(Array<char>& out, const Arguments& arguments, const Array<pid_t>& pids) {
  Array<char> table;
  TSRUNC_TRY(HostPs().run(arguments.rest, arguments.rest_count, table));
  return add_lines(out, table, pids);
}

}  // namespace

int run_ps(const Arguments& arguments, Logger& log) {
  const char* id = arguments.positionals[0];
  Container container;
  if (const Failure failure = container.open(arguments.root, id, log); failure) {
    return report_missing(log, id, failure);
  }
  Array<pid_t> pids;
  Array<char> out;
  Failure failure = pids_of(container, pids);
  if (!failure && arguments.json) {
    add_json(out, pids);
  } else if (!failure) {
    failure = add_table(out, arguments, pids);
  }
  if (!failure) {
    failure = sys::write_all(STDOUT_FILENO, out.data(), out.size(), "stdout");
  }
  if (failure) {
    log.error(Sentence("list the processes", failure).text);
    return 1;
  }
  return 0;
}

}  // namespace tsrunc::launcher
