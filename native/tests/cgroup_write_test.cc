// native/engine/host/cgroup_write.cc and cgroup_usage.cc: files of a temporary directory stand for those of a
// cgroup.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "engine/host_context.h"
#include "sys/kernel.h"
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
  DecodedPlan decoded{small_plan("c1", std::string(top.path()) + "/root/c1", {})};
  engine::StateDir state;
  Silent log;
  engine::HostContext context{decoded.plan, state, log};

  [[nodiscard]] std::string path(const char* name) const { return std::string(top.path()) + "/" + name; }
  void make(const char* name) const {
    const sys::UniqueFd fd(::open(path(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    CHECK(fd.valid());
  }
  [[nodiscard]] std::string content(const char* name) const {
    char text[64] = {};
    CHECK(sys::read_file(AT_FDCWD, path(name).c_str(), text, sizeof text).ok());
    return text;
  }
  [[nodiscard]] sys::Failure write(const char* name, bool if_any) {
    const std::string file = path(name);
    wire::WriteCgroupFile op{};
    op.file = {file.c_str(), static_cast<uint32_t>(file.size())};
    op.value = {"max", 3};
    op.if_any = if_any;
    return engine::run(context, op);
  }
  [[nodiscard]] sys::Failure check(const char* name, uint64_t limit) {
    const std::string file = path(name);
    wire::CheckCgroupUsage op{};
    op.file = {file.c_str(), static_cast<uint32_t>(file.size())};
    op.limit = limit;
    return engine::run(context, op);
  }
  [[nodiscard]] sys::Failure write_first(const char* first, const char* second) {
    const std::string one = path(first);
    const std::string two = path(second);
    const char* files[] = {one.c_str(), two.c_str()};
    const char* values[] = {"10", "20"};
    wire::WriteFirstCgroupFile op{};
    op.files = {files, 2};
    op.values = {values, 2};
    return engine::run(context, op);
  }
};

TEST(cgroup_file_is_written) {
  Fixture f;
  f.make("memory.swap.max");
  CHECK(!f.write("memory.swap.max", true));
  CHECK(f.content("memory.swap.max") == "max");
}

TEST(cgroup_file_that_is_missing_is_an_error_unless_its_value_holds_anyway) {
  Fixture f;
  CHECK(!f.write("memory.swap.max", true));
  CHECK(::access(f.path("memory.swap.max").c_str(), F_OK) != 0);
  const sys::Failure failure = f.write("memory.swap.max", false);
  CHECK(failure.code == ENOENT);
  CHECK(std::strstr(failure.detail, "the \"memory\" controller is not available") != nullptr);
}

TEST(the_first_cgroup_file_that_there_is_is_written) {
  Fixture f;
  f.make("io.weight");
  CHECK(!f.write_first("io.bfq.weight", "io.weight"));
  CHECK(f.content("io.weight") == "20");
  f.make("io.bfq.weight");
  CHECK(!f.write_first("io.bfq.weight", "io.weight"));
  CHECK(f.content("io.bfq.weight") == "10");
}

TEST(what_a_cgroup_uses_must_not_be_above_the_limit) {
  Fixture f;
  f.make("memory.current");
  CHECK(!sys::write_file(AT_FDCWD, f.path("memory.current").c_str(), "4096\n", 5));
  CHECK(!f.check("memory.current", 4096));
  const sys::Failure failure = f.check("memory.current", 4095);
  CHECK(failure.code == EBUSY);
  CHECK(std::strstr(failure.detail, "uses 4096 bytes already") != nullptr);
  CHECK(f.check("memory.other", 4096).code == ENOENT);
}

TEST(none_of_the_cgroup_files_is_an_error_that_names_them) {
  Fixture f;
  const sys::Failure failure = f.write_first("io.bfq.weight", "io.weight");
  CHECK(failure.code == ENOENT);
  CHECK(std::strstr(failure.detail, "io.bfq.weight") != nullptr);
  CHECK(std::strstr(failure.detail, "io.weight") != nullptr);
}

}  // namespace
}  // namespace tsrunc::tests
