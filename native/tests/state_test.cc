// native/engine: the state directory, its files, and what they say of a container.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "engine/engine.h"
#include "engine/init_process.h"
#include "engine/journal.h"
#include "sys/small_file.h"
#include "tests/plan_writer.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using engine::SavedState;
using engine::StateDir;
using engine::Status;

[[nodiscard]] bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

TEST(state_dir_is_made_once_and_removed) {
  const TemporaryDirectory top;
  const std::string path = std::string(top.path()) + "/deep/root/c1";
  const DecodedPlan decoded(small_plan("c1", path));
  StateDir dir;
  CHECK(!dir.make(decoded.plan));
  struct stat about {};
  CHECK(::stat(path.c_str(), &about) == 0 && (about.st_mode & 07777) == 0700);
  CHECK(::stat((path + "/..").c_str(), &about) == 0 && (about.st_mode & 0777) == 0700);
  StateDir second;
  const sys::Failure failure = second.make(decoded.plan);
  CHECK(failure.code == EEXIST && second.fd() < 0);
  CHECK(exists(path + "/plan") && exists(path + "/config.json") && exists(path + "/exec.fifo"));
  CHECK(!dir.remove());
  CHECK(!exists(path));
}

TEST(state_dir_refuses_paths_that_lead_elsewhere) {
  for (const char* path : {"/c1", "relative/c1", "/tmp/..", "/tmp/.", "/tmp/a b", "/tmp/", "/proc/../c1"}) {
    const DecodedPlan decoded(small_plan("c1", path));
    StateDir dir;
    CHECK(dir.make(decoded.plan).code == EINVAL);
    CHECK(dir.fd() < 0);
  }
}

Status status_of(const StateDir& dir, const wire::Plan* plan, SavedState& state) {
  Status status = Status::kStopped;
  CHECK(!engine::derive_status(dir, plan, state, status));
  return status;
}

TEST(state_dir_lock_excludes) {
  const TemporaryDirectory top;
  const std::string path = std::string(top.path()) + "/c1";
  const DecodedPlan decoded(small_plan("c1", path));
  StateDir maker;
  CHECK(!maker.make(decoded.plan));
  StateDir other;
  CHECK(!other.open(path.c_str()));
  CHECK(other.lock(20).code == EBUSY);
  SavedState state;
  CHECK(status_of(other, nullptr, state) == Status::kCreating);
  CHECK(!maker.remove());
  maker.~StateDir();
  new (&maker) StateDir;
  CHECK(other.lock(20).code == ENOENT);
}

TEST(state_is_saved_and_loaded) {
  const TemporaryDirectory top;
  const std::string path = std::string(top.path()) + "/c1";
  const DecodedPlan decoded(small_plan("c1", path));
  StateDir dir;
  CHECK(!dir.make(decoded.plan));
  SavedState state;
  CHECK(dir.load_state(state).code == ENODATA);
  SavedState saved;
  saved.init = {4711, 0xfedcba9876543210U};
  std::strcpy(saved.created, "2024-12-31T23:59:59.123456789Z");
  CHECK(!dir.draft_state(saved) && !dir.publish_draft());
  CHECK(!dir.load_state(state));
  CHECK(state.init.pid == 4711 && state.init.start_time == saved.init.start_time &&
        same(state.created, saved.created));
  wire::Plan plan;
  CHECK(!dir.load_plan(plan));
  CHECK_TEXT(plan.header.id.data, "c1");
}

TEST(a_draft_is_of_one_init_and_one_journal) {
  const TemporaryDirectory top;
  const std::string path = std::string(top.path()) + "/c1";
  const DecodedPlan decoded(small_plan("c1", path));
  StateDir dir;
  CHECK(!dir.make(decoded.plan));
  SavedState saved;
  saved.init = {4711, 12};
  CHECK(!dir.has_draft({}) && !dir.has_draft(saved.init));
  CHECK(!dir.draft_state(saved) && dir.has_draft(saved.init));
  CHECK(!dir.has_draft({4711, 13}) && !dir.has_draft({4712, 12}));
  SavedState state;
  CHECK(dir.load_state(state).code == ENODATA);
  CHECK(!dir.journal("hooks", "createRuntime") && !dir.has_draft(saved.init));
  CHECK(!dir.draft_state(saved) && dir.has_draft(saved.init));
  CHECK(!dir.publish_draft() && !dir.load_state(state) && state.init.pid == 4711);
}

// A process as init would be: waits to be killed.
struct Child {
  pid_t pid = ::fork();
  Child() {
    if (pid == 0) {
      for (;;) {
        ::pause();
      }
    }
  }
  ~Child() {
    (void)::kill(pid, SIGKILL);
    (void)::waitpid(pid, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
};

TEST(status_follows_the_process) {
  const TemporaryDirectory top;
  const std::string path = std::string(top.path()) + "/c1";
  const DecodedPlan decoded(small_plan("c1", path));
  StateDir dir;
  CHECK(!dir.make(decoded.plan));
  const Child child;
  SavedState saved;
  saved.init = {child.pid, *engine::start_time(child.pid)};
  CHECK(!dir.draft_state(saved) && !dir.publish_draft());
  SavedState state;
  CHECK(status_of(dir, &decoded.plan, state) == Status::kRunning);
  {
    auto fifo = dir.open_file("exec.fifo", O_RDWR);
    CHECK(fifo.ok() && status_of(dir, &decoded.plan, state) == Status::kCreated);
  }
  CHECK(status_of(dir, &decoded.plan, state) == Status::kRunning);
  ++saved.init.start_time;
  CHECK(!dir.draft_state(saved) && !dir.publish_draft());
  CHECK(status_of(dir, &decoded.plan, state) == Status::kStopped);
  CHECK(engine::open_process(saved.init).failure().code == ESRCH);
  --saved.init.start_time;
  CHECK(!dir.draft_state(saved) && !dir.publish_draft());
  auto pidfd = engine::open_process(saved.init);
  CHECK(pidfd.ok() && ::kill(child.pid, SIGKILL) == 0 && engine::wait_for_exit(*pidfd, 5000));
  // A zombie: nobody has reaped it yet.
  char letter = 0;
  CHECK(engine::start_time(child.pid, &letter).ok() && letter == 'Z');
  CHECK(status_of(dir, &decoded.plan, state) == Status::kStopped);
}

TEST(journal_is_read_as_it_was_written) {
  const TemporaryDirectory top;
  const std::string path = std::string(top.path()) + "/c1";
  const DecodedPlan decoded(small_plan("c1", path));
  StateDir dir;
  CHECK(!dir.make(decoded.plan));
  CHECK(!dir.journal("cgroup", "/a b/\\n\n\\"));
  CHECK(!dir.journal("hooks", ""));
  engine::Journal journal;
  CHECK(!journal.load(dir));
  CHECK(journal.size() == 2 && same(journal[0].kind, "cgroup") && same(journal[0].path, "/a b/\\n\n\\"));
  CHECK(journal.has("hooks") && !journal.has("mounts"));
}

TEST(state_json) {
  const DecodedPlan decoded(small_plan("c1", "/run/tsrunc/c1"));
  char out[1024];
  const size_t length =
      engine::format_state(decoded.plan.header, 7, "running", "2024-01-01T00:00:00Z", out, sizeof out);
  CHECK(length == std::strlen(out));
  CHECK_TEXT(out,
             "{\n  \"ociVersion\": \"1.3.0\",\n  \"id\": \"c1\",\n  \"pid\": 7,\n  \"status\": \"running\",\n"
             "  \"bundle\": \"/bundle\",\n  \"rootfs\": \"/bundle/rootfs\",\n"
             "  \"created\": \"2024-01-01T00:00:00Z\",\n  \"annotations\": {\n    \"a\": \"b\"\n  },\n"
             "  \"owner\": \"\"\n}\n");
  for (size_t size = 0; size < length; ++size) {
    CHECK(engine::format_state(decoded.plan.header, 7, "running", "", out, size) == 0 || size > length - 40);
  }
}

}  // namespace
}  // namespace tsrunc::tests
