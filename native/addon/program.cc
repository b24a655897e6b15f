#include "addon/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "addon/errors.h"
#include "addon/watched.h"
#include "sys/kernel.h"
#include "sys/small_file.h"

namespace tsrunc::addon {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr size_t kPiece = 65536;  // pipe(7): what a pipe holds
constexpr int kSignalled = 128;

// What posix_spawn(3) is to do before the program. None of its calls fails but for want of memory, and then
// the program does not start.
class Setting {
 public:
  Setting() noexcept {
    (void)::posix_spawn_file_actions_init(&actions_);
    (void)::posix_spawnattr_init(&attributes_);
    sigset_t set;
    sigemptyset(&set);
    (void)::posix_spawnattr_setsigmask(&attributes_, &set);
    // node ignores SIGPIPE. All bits: what the C library keeps for itself would be ignored in the program
    // otherwise (posix_spawn(3) gives those up that way), which execve(2) hands on.
    std::memset(&set, 0xff, sizeof set);
    (void)::posix_spawnattr_setsigdefault(&attributes_, &set);
    (void)::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Setting() {
    (void)::posix_spawn_file_actions_destroy(&actions_);
    (void)::posix_spawnattr_destroy(&attributes_);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
  Setting(Setting&&) = delete;
  Setting& operator=(Setting&&) = delete;

  [[nodiscard]] bool place(int fd, int as) noexcept {
    return ::posix_spawn_file_actions_adddup2(&actions_, fd, as) == 0;
  }

  [[nodiscard]] Failure spawn(const char* file, char** argv, pid_t& pid) const noexcept {
    const int error = ::posix_spawn(&pid, file, &actions_, &attributes_, argv, environ);
    return error == 0 ? kOk : sys::fail(error, "posix_spawn", file, nullptr);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

class Program;

// What the program writes, as far as it is wanted; the rest is taken all the same.
class Stream final : public Watched {
 public:
  Stream(uv_loop_t* loop, UniqueFd reader, size_t most) noexcept
      : Watched(loop, reader.get()), reader_(std::move(reader)), most_(most) {}

  // All that is there.
  void drain() {
    char piece[kPiece];
    for (;;) {
      const ssize_t got = ::read(reader_.get(), piece, sizeof piece);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        if (got == 0) {
          (void)watch(0);
        }
        return;
      }
      const auto size = static_cast<size_t>(got);
      bytes_.insert(bytes_.end(), piece, piece + std::min(size, most_ - bytes_.size()));
    }
  }

  [[nodiscard]] const std::vector<char>& bytes() const noexcept { return bytes_; }

 private:
  void ready(bool /*failed*/, int /*events*/) override { drain(); }

  UniqueFd reader_;
  size_t most_;
  std::vector<char> bytes_;
};

class End final : public Watched {
 public:
  End(Program& program, uv_loop_t* loop, UniqueFd pidfd) noexcept
      : Watched(loop, pidfd.get()), program_(program), pidfd_(std::move(pidfd)) {}

 private:
  void ready(bool failed, int events) override;

  Program& program_;
  UniqueFd pidfd_;
};

class Program {
 public:
  Program(Napi::Env env, uv_loop_t* loop, const Napi::Function& done)
      : env_(env), loop_(loop), context_(env, "tsrunc program"), done_(Napi::Persistent(done)) {}
  ~Program() {
    for (Watched* watched : std::initializer_list<Watched*>{end_, streams_[0], streams_[1]}) {
      if (watched != nullptr) {
        watched->close();
      }
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  Program(Program&&) = delete;
  Program& operator=(Program&&) = delete;

  // `input`: a descriptor, which the caller closes.
  [[nodiscard]] Failure start(const char* file, char** argv, int input, size_t most) {
    Setting setting;
    std::array<UniqueFd, 2> readers;
    std::array<UniqueFd, 2> writers;
    for (int i = 0; i < 2; ++i) {
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC) != 0) {
        return sys::fail("pipe2");
      }
      readers.at(i).reset(ends[0]);
      writers.at(i).reset(ends[1]);
      if (!setting.place(ends[1], STDOUT_FILENO + i)) {
        return sys::fail(ENOMEM, "posix_spawn", file, nullptr);
      }
    }
    if (!setting.place(input, STDIN_FILENO)) {
      return sys::fail(ENOMEM, "posix_spawn", file, nullptr);
    }
    TSRUNC_TRY(setting.spawn(file, argv, pid_));
    UniqueFd pidfd(sys::pidfd_open_raw(pid_, 0));
    if (!pidfd.valid()) {
      const Failure failure = sys::fail("pidfd_open", file);
      stop();
      return failure;
    }
    end_ = new End(*this, loop_, std::move(pidfd));
    bool watched = end_->watch(UV_READABLE);
    for (int i = 0; i < 2; ++i) {
      streams_.at(i) = new Stream(loop_, std::move(readers.at(i)), most);
      watched = streams_.at(i)->watch(UV_READABLE) && watched;
    }
    if (!watched) {
      stop();
      return sys::fail(EIO, "epoll_ctl", file, nullptr);
    }
    return kOk;
  }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  // It has ended: tells, and ends this object.
  void end() {
    const int status = wait();
    const Napi::Env env = env_;
    const Napi::HandleScope scope(env);
    std::array<Napi::Value, 2> texts;
    for (int i = 0; i < 2; ++i) {
      streams_.at(i)->drain();
      const std::vector<char>& bytes = streams_.at(i)->bytes();
      texts.at(i) = Napi::String::New(env, bytes.data(), bytes.size());
    }
    const Napi::Function done = done_.Value();
    const Napi::AsyncContext context = std::move(context_);
    delete this;
    (void)done.MakeCallback(env.Global(), {Napi::Number::New(env, status), texts[0], texts[1]}, context);
  }

 private:
  [[nodiscard]] int wait() const noexcept {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0) {
      if (errno != EINTR) {
        return kSignalled;
      }
    }
    return info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
  }

  void stop() const noexcept {
    (void)::kill(pid_, SIGKILL);
    (void)wait();
  }

  Napi::Env env_;
  uv_loop_t* loop_;
  Napi::AsyncContext context_;
  Napi::FunctionReference done_;
  pid_t pid_ = -1;
  End* end_ = nullptr;
  std::array<Stream*, 2> streams_{};
};

void End::ready(bool /*failed*/, int /*events*/) {
  program_.end();
}

// A file that a program can read from its beginning, whatever its size.
[[nodiscard]] Failure make_input(const Napi::Value& value, UniqueFd& out) {
  if (!value.IsTypedArray()) {
    out.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return out.valid() ? kOk : sys::fail("open", "/dev/null");
  }
  const auto bytes = value.As<Napi::Uint8Array>();
  out.reset(::memfd_create("input", MFD_CLOEXEC));
  if (!out.valid()) {
    return sys::fail("memfd_create", "input");
  }
  TSRUNC_TRY(sys::write_all(out.get(), bytes.Data(), bytes.ByteLength(), "input"));
  return ::lseek(out.get(), 0, SEEK_SET) == 0 ? kOk : sys::fail("lseek", "input");
}

}  // namespace

Napi::Value run_program(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return throw_failure(env, sys::fail(ENOSYS, "napi_get_uv_event_loop", nullptr, nullptr));
  }
  UniqueFd input;
  if (const Failure failure = make_input(options.Get("input"), input); failure) {
    return throw_failure(env, failure);
  }
  const std::string file = options.Get("file").ToString();
  const auto words = options.Get("argv").As<Napi::Array>();
  std::vector<std::string> kept;
  kept.reserve(words.Length());
  std::vector<char*> argv;
  for (uint32_t i = 0; i < words.Length(); ++i) {
    kept.push_back(words.Get(i).ToString());
    argv.push_back(kept.back().data());
  }
  argv.push_back(nullptr);
  auto* program = new Program(env, loop, options.Get("done").As<Napi::Function>());
  const auto most = static_cast<size_t>(options.Get("most").ToNumber().Int64Value());
  if (const Failure failure = program->start(file.c_str(), argv.data(), input.get(), most); failure) {
    delete program;
    return throw_failure(env, failure);
  }
  return Napi::Number::New(env, program->pid());
}

}  // namespace tsrunc::addon
