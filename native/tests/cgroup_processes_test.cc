// native/engine/host/cgroup_processes.cc: files of a temporary directory stand for those of a cgroup.
#include "engine/host/cgroup_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "sys/kernel.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

// A process that waits to be ended.
class Bystander {
 public:
  Bystander() : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;) {
        ::pause();
      }
    }
  }
  ~Bystander() {
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
  }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  Bystander(Bystander&&) = delete;
  Bystander& operator=(Bystander&&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // The signal that ended it.
  [[nodiscard]] int ended_by() const {
    siginfo_t about{};
    CHECK(::waitid(P_PID, static_cast<id_t>(pid_), &about, WEXITED | WNOWAIT) == 0);
    return about.si_status;
  }
  [[nodiscard]] bool lives() const {
    siginfo_t about{};
    CHECK(::waitid(P_PID, static_cast<id_t>(pid_), &about, WEXITED | WNOWAIT | WNOHANG) == 0);
    return about.si_pid == 0;
  }

 private:
  pid_t pid_;
};

// A directory that lists the bystander, and this process.
struct Cgroup {
  TemporaryDirectory top;
  Bystander bystander;
  std::string path{top.path()};
  const char* items[1] = {path.c_str()};
  wire::StrList paths{items, 1};
  char detail[256] = {};

  Cgroup() {
    write("cgroup.procs", std::to_string(bystander.pid()) + "\n" + std::to_string(::getpid()) + "\n");
  }
  void write(const char* name, const std::string& text) const {
    const std::string file = path + "/" + name;
    const sys::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    CHECK(fd.valid());
    CHECK(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] bool spares_everybody() {
    uint32_t sent = 0;
    CHECK(!engine::signal_cgroups(paths, SIGTERM, sent));
    CHECK(!engine::kill_cgroups(paths, 0, detail, sizeof detail));
    return sent == 0 && bystander.lives();
  }
};

TEST(every_process_of_a_cgroup_gets_the_signal_but_this_one) {
  Cgroup cgroup;
  uint32_t sent = 0;
  CHECK(!engine::signal_cgroups(cgroup.paths, SIGTERM, sent));
  CHECK(sent == 1);
  CHECK(cgroup.bystander.ended_by() == SIGTERM);
}

TEST(the_top_of_a_hierarchy_of_version_1_holds_the_machine_and_is_spared) {
  Cgroup cgroup;
  cgroup.write("release_agent", "\n");
  CHECK(cgroup.spares_everybody());
}

TEST(the_top_of_version_2_holds_the_machine_and_is_spared) {
  Cgroup cgroup;
  cgroup.write("cgroup.controllers", "cpu memory\n");
  CHECK(cgroup.spares_everybody());
}

TEST(who_does_not_end_is_named) {
  Cgroup cgroup;
  const sys::Failure failure = engine::kill_cgroups(cgroup.paths, 0, cgroup.detail, sizeof cgroup.detail);
  CHECK(failure.code == ETIMEDOUT);
  CHECK(std::strstr(failure.detail, std::to_string(cgroup.bystander.pid()).c_str()) != nullptr);
  CHECK(std::strstr(failure.detail, "not end after SIGKILL") != nullptr);
}

}  // namespace
}  // namespace tsrunc::tests
