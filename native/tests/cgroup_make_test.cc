// native/engine/host/cgroup_make.cc: directories of a temporary file system stand for a hierarchy.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "engine/host_context.h"
#include "sys/small_file.h"
#include "tests/plan_writer.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

struct Silent final : engine::Log {
  void warn(const char* /*text*/) override {}
  void debug(const char* /*text*/) override {}
};

struct Fixture {
  TemporaryDirectory top;
  std::string root = std::string(top.path()) + "/hierarchy";
  DecodedPlan decoded{small_plan("c1", std::string(top.path()) + "/root/c1", {})};
  engine::StateDir state;
  Silent log;
  engine::HostContext context{decoded.plan, state, log};

  Fixture() { CHECK(::mkdir(root.c_str(), 0755) == 0 && !state.make(decoded.plan)); }

  [[nodiscard]] sys::Failure make(const char* beneath, bool must_be_empty = false) {
    const std::string path = root + beneath;
    wire::MakeCgroup op{};
    op.root = {root.c_str(), static_cast<uint32_t>(root.size())};
    op.path = {path.c_str(), static_cast<uint32_t>(path.size())};
    op.must_be_empty = must_be_empty;
    return engine::run(context, op);
  }
  [[nodiscard]] bool has(const char* beneath) const { return ::access((root + beneath).c_str(), F_OK) == 0; }
  [[nodiscard]] bool noted(const char* beneath) const {
    engine::Journal journal;
    return !journal.load(state) && journal.has("cgroup", (root + beneath).c_str());
  }
  [[nodiscard]] size_t lines() const {
    engine::Journal journal;
    return journal.load(state) ? 0 : journal.size();
  }
};

TEST(a_cgroup_is_made_and_noted) {
  Fixture f;
  CHECK(!f.make("/c1"));
  CHECK(f.has("/c1") && f.noted("/c1") && f.lines() == 1);
}

TEST(each_directory_on_the_way_to_a_cgroup_is_made_and_noted) {
  Fixture f;
  CHECK(!f.make("/a/b/c1"));
  CHECK(f.has("/a/b/c1") && f.noted("/a") && f.noted("/a/b") && f.noted("/a/b/c1") && f.lines() == 3);
  CHECK(!f.make("/a/b/c2"));
  CHECK(f.has("/a/b/c2") && f.noted("/a/b/c2") && f.lines() == 4);
}

TEST(a_cgroup_that_is_there_is_not_noted) {
  Fixture f;
  CHECK(::mkdir((f.root + "/c1").c_str(), 0755) == 0);
  CHECK(!f.make("/c1") && !f.make("") && f.lines() == 0);
}

TEST(a_cgroup_that_holds_processes_is_refused) {
  Fixture f;
  CHECK(::mkdir((f.root + "/c1").c_str(), 0755) == 0);
  const std::string file = f.root + "/c1/cgroup.procs";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  CHECK(fd >= 0 && !sys::write_all(fd, "17\n", 3, nullptr) && ::close(fd) == 0);
  CHECK(f.make("/c1", true).code == EBUSY && !f.make("/c1") && f.lines() == 0);
}

TEST(a_cgroup_is_made_by_names_alone) {
  Fixture f;
  CHECK(f.make("/../c1").code == EINVAL && f.make("/a/../../c1").code == EINVAL);
  CHECK(!f.has("/../c1"));
  CHECK(!f.make("//b///c1/") && f.has("/b/c1"));
}

TEST(a_hierarchy_that_is_not_there_is_named) {
  Fixture f;
  CHECK(::rmdir(f.root.c_str()) == 0);
  const sys::Failure failure = f.make("/c1");
  CHECK(failure.code == ENOENT && failure.path != nullptr && same(failure.call, "open"));
}

}  // namespace
}  // namespace tsrunc::tests
