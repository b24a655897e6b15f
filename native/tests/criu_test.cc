// native/engine/host/criu_response.cc: what CRIU answers, and its log.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/host/criu.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using engine::CriuResponse;

[[nodiscard]] bool decode(const std::string& bytes, CriuResponse& out) {
  out = {};
  return engine::decode_response(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), out);
}

// {type: NOTIFY, success: true, notify: {script: "setup-namespaces", pid: 300}}
const std::string kNotification("\x08\x06\x10\x01\x2a\x15\x0a\x10setup-namespaces\x10\xac\x02", 27);

TEST(criu_notification) {
  CriuResponse response;
  CHECK(decode(kNotification, response));
  CHECK(response.type == 6 && response.success && response.pid == 300);
  CHECK_TEXT(response.script, "setup-namespaces");
}

TEST(criu_failure_with_text) {
  CriuResponse response;
  // {type: RESTORE, success: false, cr_errno: 17, cr_errmsg: "no\x1bway"}, and a field that nobody knows.
  CHECK(decode(std::string("\x08\x02\x10\x00\x38\x11\x4a\x06no\x1bway\x78\x01", 16), response));
  CHECK(response.type == 2 && !response.success && response.error == 17);
  CHECK_TEXT(response.message, "no?way");
}

TEST(criu_long_texts_are_cut) {
  CriuResponse response;
  std::string inner("\x0a\x7f", 2);
  inner.append(127, 'x');
  std::string bytes("\x08\x06\x10\x01\x2a\x81\x01", 7);
  CHECK(decode(bytes + inner, response));
  CHECK(std::strlen(response.script) == sizeof response.script - 1);
}

TEST(criu_damaged_answers) {
  CriuResponse response;
  for (size_t size = 1; size < kNotification.size(); ++size) {
    // Cut between two fields it is a shorter message; else it is none.
    const bool whole = size == 2 || size == 4;
    CHECK(decode(kNotification.substr(0, size), response) == whole);
  }
  CHECK(!decode(std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12), response));
  CHECK(!decode(std::string("\x0b", 1), response));
  CHECK(!decode(std::string("\x2a\xff\xff\xff\xff\x0f", 6), response));
}

TEST(criu_log_tells_the_cause) {
  char directory[] = "/tmp/criu-test.XXXXXX";
  CHECK(::mkdtemp(directory) != nullptr);
  const int work = ::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int log = ::openat(work, "dump.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string text =
      "(00.1) all is well\n(00.2) Error (a.c:1): rlimit: Can't setup RLIMIT_NOFILE for self\n"
      "(00.3) Error (b.c:2): the cause\n(00.4) nothing\n(00.5) Error (c.c:3): Dumping FAILED.";
  CHECK(::write(log, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  char detail[512];
  const sys::Failure failure = engine::criu_failure({}, work, "/work", "dump.log", detail, sizeof detail);
  CHECK(failure.code == sys::kNoErrno);
  CHECK_TEXT(detail,
             "CRIU could not do it: (00.3) Error (b.c:2): the cause; (00.5) Error (c.c:3): Dumping FAILED.; "
             "its log is /work/dump.log");
  ::close(log);
  (void)::unlinkat(work, "dump.log", 0);
  ::close(work);
  (void)::rmdir(directory);
}

}  // namespace
}  // namespace tsrunc::tests
