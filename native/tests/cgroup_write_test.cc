// native/engine/host/cgroup_write.cc and cgroup_usage.cc: files of a temporary directory stand for those of a
// cgroup.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "engine/host_context.h"
#include "engine/host_run.h"
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
  engine::FailureRecord why;

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
  // A regular file keeps what stands behind the value that is written over its beginning, as a kernel's file
  // may keep what it had.
  [[nodiscard]] sys::Failure set(const char* name, const char* value, wire::SetCgroupLimit op,
                                 const char* text = "") {
    const std::string file = path(name);
    const char* files[] = {file.c_str()};
    const char* values[] = {value};
    const char* texts[] = {text};
    op.files = {files, 1};
    op.values = {values, 1};
    op.texts = {texts, 1};
    op.advice = {"what to do", 10};
    return engine::run(context, op);
  }
  void fill(const char* name, const std::string& text) const {
    make(name);
    CHECK(!sys::write_file(AT_FDCWD, path(name).c_str(), text.c_str(), text.size()));
  }
  [[nodiscard]] sys::Failure write_first(const char* first, const char* second) {
    const std::string one = path(first);
    const std::string two = path(second);
    const char* files[] = {one.c_str(), two.c_str()};
    const char* values[] = {"10", "20"};
    wire::SetCgroupLimit op{};
    op.files = {files, 2};
    op.values = {values, 2};
    op.texts = {values, 2};
    return engine::run(context, op);
  }
};

TEST(cgroup_file_is_written) {
  Fixture f;
  f.make("memory.swap.max");
  CHECK(!f.write("memory.swap.max", true));
  CHECK(f.content("memory.swap.max") == "max");
}

TEST(cgroup_file_of_the_operation_before_is_open_still) {
  Fixture f;
  f.make("devices.allow");
  f.make("devices.deny");
  CHECK(!f.write("devices.allow", false));
  const int kept = f.context.written.fd.get();
  CHECK(!f.write("devices.allow", false) && f.context.written.fd.get() == kept);
  CHECK(f.content("devices.allow") == "max");  // from the beginning of the file
  CHECK(!f.write("devices.deny", false) && !f.write("devices.allow", false));
  CHECK(f.content("devices.deny") == "max" && f.content("devices.allow") == "max");
  CHECK(engine::run_list(f.context, wire::List::kStart, f.why) && !f.context.written.fd.valid());
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

[[nodiscard]] wire::SetCgroupLimit number_check(uint64_t least, uint64_t most) {
  wire::SetCgroupLimit op{};
  op.check = 1;
  op.least = least;
  op.most = most;
  return op;
}

TEST(a_limit_is_read_back_and_compared) {
  Fixture f;
  f.fill("memory.max", "0000\n");
  CHECK(!f.set("memory.max", "9000", number_check(8192, 9000)));
  f.fill("pids.max", "max\n");
  CHECK(!f.set("pids.max", "max", number_check(UINT64_MAX, UINT64_MAX)));
  f.fill("cpu.cfs_quota_us", "-1\n");
  CHECK(!f.set("cpu.cfs_quota_us", "-1", number_check(UINT64_MAX, UINT64_MAX)));
}

TEST(a_limit_that_was_not_taken_is_an_error_that_says_what_the_kernel_has) {
  Fixture f;
  f.fill("memory.max", "90000\n");
  const sys::Failure failure = f.set("memory.max", "8", number_check(1, 8));
  CHECK(failure.code == EIO);
  CHECK(std::strstr(failure.detail, "value \"8\" for ") != nullptr);
  CHECK(std::strstr(failure.detail, "was not taken: the kernel has \"80000\" (what to do)") != nullptr);
  f.fill("memory.min", "nonsense\n");
  CHECK(f.set("memory.min", "n", number_check(0, UINT64_MAX)).code == EIO);
}

TEST(a_line_of_text_and_an_entry_are_read_back) {
  Fixture f;
  wire::SetCgroupLimit op{};
  op.check = 2;
  f.fill("cpuset.cpus", "0-1\n");
  CHECK(!f.set("cpuset.cpus", "0-1", op, "0-1"));
  CHECK(f.set("cpuset.cpus", "0-1", op, "0").code == EIO);
  CHECK(f.set("cpuset.cpus", "0-1", op, "0-12").code == EIO);
  op.check = 3;
  op.key = {"8:0", 3};
  f.fill("io.max", "8:0 rbps=1 wbps=max riops=max wiops=22\n8:16 rbps=2 wbps=max riops=max wiops=max\n");
  CHECK(!f.set("io.max", "8:0 rbps=1", op, "rbps=1 wiops=22"));
  const sys::Failure other = f.set("io.max", "8:0 rbps=1", op, "rbps=2");
  CHECK(std::strstr(other.detail, "the kernel has \"8:0 rbps=1 wbps=max riops=max wiops=22\"") != nullptr);
  op.key = {"8:1", 3};
  CHECK(std::strstr(f.set("io.max", "8:0 rbps=1", op, "rbps=1").detail, "no line for \"8:1\"") != nullptr);
}

TEST(an_update_puts_the_old_values_back) {
  Fixture f;
  wire::SetCgroupLimit op = number_check(70, 70);
  op.undo = 1;
  f.fill("pids.max", "55\n");
  CHECK(!f.set("pids.max", "70", op));
  wire::SetCgroupLimit entry{};
  entry.undo = 2;
  entry.key = {"8:16", 4};
  entry.absent = {"8:16 none", 9};
  f.fill("io.max", "8:0 rbps=1\n8:16 rbps=2\n");
  CHECK(!f.set("io.max", "8:16 rbps=3", entry));
  const char* file = nullptr;
  CHECK(!f.context.cgroup_undo.restore(file));
  CHECK(f.content("pids.max") == "55\n");
  // A file of the kernel would have kept its other lines.
  CHECK(f.content("io.max").rfind("8:16 rbps=2", 0) == 0);
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
