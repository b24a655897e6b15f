// native/engine: taking away what the journal says. Directories of a temporary file system stand for cgroups:
// what is done to them is the same.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "engine/engine.h"
#include "engine/host/mount_rows.h"
#include "engine/host/undo_journal.h"
#include "sys/small_file.h"
#include "tests/plan_writer.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

struct Quiet final : engine::Log {
  void warn(const char* /*text*/) override { ++warnings; }
  void debug(const char* /*text*/) override {}
  int warnings = 0;
};

[[nodiscard]] bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

void make(const std::string& path) {
  CHECK(::mkdir(path.c_str(), 0755) == 0);
}

void write(const std::string& path, const std::string& text) {
  const sys::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
  CHECK(!sys::write_all(fd.get(), text.data(), text.size(), nullptr));
}

// A container's directory, its plan, and a place for what it makes.
struct Fixture {
  TemporaryDirectory top;
  std::string cgroups = std::string(top.path()) + "/cgroups";
  std::string leaf = cgroups + "/shared/c1";
  std::string state_path = std::string(top.path()) + "/root/c1";
  DecodedPlan decoded{small_plan("c1", state_path, {leaf})};
  engine::StateDir state;
  Quiet log;
  engine::HostContext context{decoded.plan, state, log};

  Fixture() {
    make(cgroups);
    CHECK(!state.make(decoded.plan));
  }
};

TEST(undo_removes_cgroups_and_what_the_container_made_in_them) {
  Fixture f;
  CHECK(!f.state.journal("cgroup", (f.cgroups + "/shared").c_str()));
  make(f.cgroups + "/shared");
  CHECK(!f.state.journal("cgroup", f.leaf.c_str()));
  make(f.leaf);
  make(f.leaf + "/inner");
  make(f.leaf + "/inner/most");
  CHECK(!f.state.journal("cgroup", (f.leaf + "/never-made").c_str()));
  CHECK(!engine::undo_journal(f.context));
  CHECK(!exists(f.cgroups + "/shared") && exists(f.cgroups));
  CHECK(!engine::undo_journal(f.context));
}

TEST(undo_leaves_a_parent_that_others_use) {
  Fixture f;
  CHECK(!f.state.journal("cgroup", (f.cgroups + "/shared").c_str()));
  make(f.cgroups + "/shared");
  make(f.cgroups + "/shared/c2");
  CHECK(!f.state.journal("cgroup", f.leaf.c_str()));
  make(f.leaf);
  CHECK(!engine::undo_journal(f.context));
  CHECK(!exists(f.leaf) && exists(f.cgroups + "/shared/c2"));
}

TEST(undo_leaves_what_was_there_before) {
  Fixture f;
  make(f.cgroups + "/shared");
  make(f.leaf);
  CHECK(!engine::undo_journal(f.context));
  CHECK(exists(f.leaf));
}

TEST(undo_of_the_pid_file) {
  Fixture f;
  const std::string file = std::string(f.top.path()) + "/pid";
  const std::string temporary = std::string(f.top.path()) + "/.pid";
  CHECK(!f.state.journal("pid", "4711"));
  CHECK(!f.state.journal("pidfile", file.c_str()));
  write(file, "4711");
  write(temporary, "47");
  CHECK(!engine::undo_journal(f.context));
  CHECK(!exists(file) && !exists(temporary));
  write(file, "4712");  // somebody else's
  CHECK(!engine::undo_journal(f.context));
  CHECK(exists(file));
  write(file, "4711");
  engine::SavedState saved;
  saved.init = {1, 1};
  CHECK(!f.state.draft_state(saved) && !f.state.publish_draft());  // created: the file is its caller's
  CHECK(!engine::undo_journal(f.context));
  CHECK(exists(file));
}

TEST(destroy_of_half_made_directories) {
  for (const char* missing : {"plan", "journal", "config.json", "exec.fifo", "exec.result"}) {
    Fixture f;
    CHECK(!f.state.journal("cgroup", f.leaf.c_str()));
    CHECK(::unlink((f.state_path + "/" + missing).c_str()) == 0);
    wire::Plan plan;
    (void)f.state.load_plan(plan);
    engine::HostContext context(plan, f.state, f.log);
    engine::FailureRecord why;
    CHECK(engine::destroy(context, why));
    CHECK(!exists(f.state_path));
  }
  Fixture f;
  write(f.state_path + "/journal", "cgroup " + f.leaf);
  write(f.state_path + "/state.new", "tsr");
  make(f.cgroups + "/shared");
  make(f.leaf);
  engine::FailureRecord why;
  CHECK(engine::destroy(f.context, why));
  CHECK(!exists(f.state_path) && exists(f.leaf));
}

TEST(mountinfo_is_parsed) {
  const std::string text =
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/a rw\n"
      "23 22 0:5 / /a\\040b\\134c rw - proc proc rw\n"
      "24 22 0:6 / /a rw - tmpfs tmpfs rw\n"
      "torn 22 0";
  engine::MountRows rows;
  rows.parse(text.data(), text.size());
  CHECK(rows.size() == 3 && rows[1].id == 23 && same(rows[1].path, "/a b\\c"));
  CHECK(engine::at_or_below("/a/b", "/a") && engine::at_or_below("/a", "/a/") &&
        engine::at_or_below("/x", "/"));
  CHECK(!engine::at_or_below("/ab", "/a") && !engine::at_or_below("/", "/a"));
}

// In a mount namespace of its own; returns whether all was as it should be.
[[nodiscard]] bool undo_mounts_in_child() {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    std::perror("unshare");
    return false;
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return false;
  }
  Fixture f;
  const std::string root = std::string(f.top.path()) + "/rootfs";
  make(root);
  // The caller's own mount at the root, which is not ours to take away.
  if (::mount("none", root.c_str(), "tmpfs", 0, nullptr) != 0) {
    return false;
  }
  make(root + "/a");
  wire::JournalMounts op;
  op.path = {root.c_str(), static_cast<uint32_t>(root.size())};
  bool good = !engine::run(f.context, op);
  good = good && ::mount(root.c_str(), root.c_str(), nullptr, MS_BIND, nullptr) == 0;
  good = good && ::mount("none", (root + "/a").c_str(), "tmpfs", 0, nullptr) == 0;
  good = good && ::mkdir((root + "/a/b").c_str(), 0755) == 0;
  good = good && ::mount("none", (root + "/a/b").c_str(), "tmpfs", 0, nullptr) == 0;
  good = good && !engine::undo_journal(f.context);
  engine::MountRows rows;
  const sys::UniqueFd process(::open("/proc/self", O_PATH | O_DIRECTORY));
  good = good && !rows.load(process.get());
  int left = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    left += engine::at_or_below(rows[i].path, root.c_str()) ? 1 : 0;
  }
  good = good && left == 1 && exists(root + "/a");
  (void)::umount2(root.c_str(), MNT_DETACH);
  return good;
}

TEST(undo_takes_away_the_mounts_of_the_container_only) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(undo_mounts_in_child() ? 0 : 1);
  }
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child && status == 0);
}

}  // namespace
}  // namespace tsrunc::tests
