#include "addon/planner_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <uv.h>

#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "addon/errors.h"
#include "addon/peer.h"
#include "addon/planner_connection.h"
#include "addon/repeated_plans.h"
#include "addon/watched.h"
#include "launcher/kept_facts.h"
#include "launcher/kept_plans.h"
#include "launcher/sealed.h"

namespace tsrunc::addon {
namespace {

using sys::Failure;
using sys::UniqueFd;
using Turn = PlannerConnection::Turn;

// A request is in memory already when its caller connects; one that takes longer to come is none.
constexpr uint64_t kMilliseconds = 5000;
constexpr uint64_t kWatchMilliseconds = 1000;
// As node:net has it.
constexpr int kBacklog = 511;
// unix(7): the mode of a socket is what the mask leaves of it.
constexpr mode_t kOwnMask = 0177;
constexpr const char* kMountinfo = "/proc/self/mountinfo";

class Server;

class Caller final : public Watched {
 public:
  Caller(Server& server, uv_loop_t* loop, uint32_t number, pid_t pid, UniqueFd socket, Held& held) noexcept
      : Watched(loop, socket.get()),
        server_(server),
        number_(number),
        begun_(uv_now(loop)),
        connection_(std::move(socket), pid, held) {}

  [[nodiscard]] PlannerConnection& connection() noexcept { return connection_; }
  [[nodiscard]] uint64_t begun() const noexcept { return begun_; }
  // Does what a turn of the connection wants.
  void follow(Turn turn);

 private:
  void ready(bool failed, int events) override;

  Server& server_;
  uint32_t number_;
  uint64_t begun_;
  PlannerConnection connection_;
};

class Listener final : public Watched {
 public:
  Listener(Server& server, uv_loop_t* loop, UniqueFd socket) noexcept
      : Watched(loop, socket.get()), server_(server), socket_(std::move(socket)) {}
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

 private:
  void ready(bool failed, int events) override;

  Server& server_;
  UniqueFd socket_;
};

// proc(5) mountinfo, poll(2): POLLERR and POLLPRI once after each change of the mount table.
class Mounts final : public Watched {
 public:
  // Two open files: what the loop has been told of one, and tells later, is still to be had of the other.
  Mounts(Server& server, uv_loop_t* loop, UniqueFd watched, UniqueFd asked) noexcept
      : Watched(loop, watched.get()),
        server_(server),
        watched_(std::move(watched)),
        asked_(std::move(asked)) {}
  // Since it was last asked.
  [[nodiscard]] bool changed() noexcept {
    pollfd asked = {asked_.get(), POLLPRI, 0};
    return ::poll(&asked, 1, 0) != 0;
  }

 private:
  void ready(bool failed, int events) override;

  Server& server_;
  UniqueFd watched_;
  UniqueFd asked_;
};

class Server {
 public:
  // `most`: callers at a time; one that finds no room goes on without a planner.
  Server(Napi::Env env, uv_loop_t* loop, const Napi::Function& hear, const Napi::Function& forget,
         const Napi::Function& look, UniqueFd executable, size_t most)
      : env_(env),
        loop_(loop),
        most_(most),
        context_(env, "tsrunc planner"),
        hear_(Napi::Persistent(hear)),
        forget_(Napi::Persistent(forget)),
        look_(Napi::Persistent(look)),
        executable_(std::move(executable)) {}

  // `mountinfo`: twice.
  [[nodiscard]] bool listen(UniqueFd socket, UniqueFd mountinfo, UniqueFd second) {
    listener_ = new Listener(*this, loop_, std::move(socket));
    mounts_ = new Mounts(*this, loop_, std::move(mountinfo), std::move(second));
    timer_ = new uv_timer_t{};
    (void)uv_timer_init(loop_, timer_);
    timer_->data = this;
    uv_unref(reinterpret_cast<uv_handle_t*>(timer_));
    return uv_timer_start(timer_, on_time, kWatchMilliseconds, kWatchMilliseconds) == 0 &&
           listener_->watch(UV_READABLE) && mounts_->watch(UV_PRIORITIZED);
  }

  // Ends this object, once libuv has let go of all: whoever stops it may be called by it.
  void stop() {
    stopped_ = true;
    while (!callers_.empty()) {
      drop(callers_.begin()->first);
    }
    listener_->close();
    mounts_->close();
    uv_close(reinterpret_cast<uv_handle_t*>(timer_), [](uv_handle_t* handle) {
      auto* timer = reinterpret_cast<uv_timer_t*>(handle);
      delete static_cast<Server*>(timer->data);
      delete timer;
    });
  }

  void accept() {
    while (!stopped_) {
      UniqueFd socket(::accept4(listener_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket.valid()) {
        if (errno == EINTR || errno == ECONNABORTED) {
          continue;
        }
        if (errno != EAGAIN) {
          pause();
        }
        return;
      }
      if (callers_.size() < most_) {
        begin(std::move(socket));
      }
    }
  }

  void hear(uint32_t number, Caller& caller) {
    PlannerConnection& from = caller.connection();
    look_if_changed();
    if (from.caller() != 0 && !from.asked()) {
      const std::string_view reply = repeated_.find({from.message(), from.size()}, from.caller());
      if (!reply.empty()) {
        ++repeats_;
        caller.follow(from.reply(reply.data(), reply.size(), false));
        return;
      }
    }
    const Napi::HandleScope scope(env_);
    const auto bytes = Napi::Buffer<char>::Copy(env_, from.message(), from.size());
    (void)hear_.MakeCallback(env_.Global(),
                             {Napi::Number::New(env_, number), Napi::Number::New(env_, from.caller()), bytes,
                              Napi::Number::New(env_, static_cast<double>(repeated_.facts()))},
                             context_);
  }

  void drop(uint32_t number) {
    const auto found = callers_.find(number);
    if (found == callers_.end()) {
      return;
    }
    Caller* caller = found->second;
    callers_.erase(found);
    if (caller->connection().asked()) {
      const Napi::HandleScope scope(env_);
      (void)forget_.MakeCallback(env_.Global(), {Napi::Number::New(env_, number)}, context_);
    }
    caller->close();
  }

  [[nodiscard]] Caller* find(uint32_t number) const {
    const auto found = callers_.find(number);
    return found == callers_.end() ? nullptr : found->second;
  }

  [[nodiscard]] size_t callers() const noexcept { return callers_.size(); }
  // Facts of the host depend on the mount table (src/host/memory.ts).
  void look() {
    const Napi::HandleScope scope(env_);
    const Napi::Value same = look_.MakeCallback(env_.Global(), {}, context_);
    if (same.IsEmpty() || !same.ToBoolean()) {
      repeated_.forget();
    }
  }
  void look_if_changed() {
    if (mounts_->changed()) {
      look();
    }
  }

  [[nodiscard]] RepeatedPlans& repeated() noexcept { return repeated_; }
  [[nodiscard]] uint64_t repeats() const noexcept { return repeats_; }

 private:
  void begin(UniqueFd socket) {
    const uint32_t number = ++last_;
    const pid_t pid = fellow(socket.get());
    auto* caller = new Caller(*this, loop_, number, pid, std::move(socket), held_);
    callers_.emplace(number, caller);
    // Who is not planned for becomes nothing of this planner's.
    if (!caller->connection().greet(pid != 0 ? executable_.get() : -1)) {
      drop(number);
      return;
    }
    // The request is there, or will be at once.
    caller->follow(caller->connection().read());
  }

  // accept(2): EMFILE and the like stay as long as nothing is closed, and so does the caller that waits.
  void pause() {
    paused_ = true;
    (void)listener_->watch(0);
    // It is all now that keeps the loop alive.
    uv_ref(reinterpret_cast<uv_handle_t*>(timer_));
  }

  void resume() {
    paused_ = false;
    uv_unref(reinterpret_cast<uv_handle_t*>(timer_));
    (void)listener_->watch(UV_READABLE);
  }

  static void on_time(uv_timer_t* timer) {
    auto* server = static_cast<Server*>(timer->data);
    if (server->paused_) {
      server->resume();
    }
    const uint64_t now = uv_now(server->loop_);
    std::vector<uint32_t> late;
    for (const auto& [number, caller] : server->callers_) {
      if (now - caller->begun() > kMilliseconds) {
        late.push_back(number);
      }
    }
    for (const uint32_t number : late) {
      server->drop(number);
    }
  }

  Napi::Env env_;
  uv_loop_t* loop_;
  size_t most_;
  bool stopped_ = false;
  bool paused_ = false;
  Napi::AsyncContext context_;
  Napi::FunctionReference hear_;
  Napi::FunctionReference forget_;
  Napi::FunctionReference look_;
  UniqueFd executable_;
  Held held_;
  RepeatedPlans repeated_;
  uint64_t repeats_ = 0;  // callers that were answered by it
  std::unordered_map<uint32_t, Caller*> callers_;
  uint32_t last_ = 0;
  Listener* listener_ = nullptr;
  Mounts* mounts_ = nullptr;
  uv_timer_t* timer_ = nullptr;
};

void Caller::follow(Turn turn) {
  switch (turn) {
    case Turn::kWaits:
      if (!watch(UV_READABLE)) {
        server_.drop(number_);
      }
      return;
    case Turn::kWhole:
      // One that hangs up while it is planned for is found at the reply.
      (void)watch(UV_DISCONNECT);
      server_.hear(number_, *this);
      return;
    case Turn::kSends:
      if (!watch(UV_WRITABLE)) {
        server_.drop(number_);
      }
      return;
    case Turn::kOver:
      server_.drop(number_);
      return;
  }
}

void Caller::ready(bool failed, int events) {
  if (failed || (events & UV_DISCONNECT) != 0) {
    server_.drop(number_);
  } else {
    follow((events & UV_WRITABLE) != 0 ? connection_.write() : connection_.read());
  }
}

// Before the next caller comes, who need not wait for it.
void Mounts::ready(bool /*failed*/, int /*events*/) {
  server_.look_if_changed();
}

void Listener::ready(bool failed, int /*events*/) {
  if (!failed) {
    server_.accept();
  }
}

// By number. Not owned by a static object: what they hold of node's must not be given back after node's end.
std::unordered_map<uint32_t, Server*>& servers() {
  static auto* const all = new std::unordered_map<uint32_t, Server*>();
  return *all;
}

[[nodiscard]] Server* find_server(const Napi::Value& number) {
  const auto found = servers().find(number.ToNumber());
  return found == servers().end() ? nullptr : found->second;
}

[[nodiscard]] Failure listen_at(const std::string& path, UniqueFd& out) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return sys::fail(ENAMETOOLONG, "bind", path.c_str(), "the path is too long for a socket");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  out = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out.valid()) {
    return sys::fail("socket", path.c_str());
  }
  const mode_t mask = ::umask(kOwnMask);
  const int bound = ::bind(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  (void)::umask(mask);
  if (bound != 0) {
    return sys::fail(error, "bind", path.c_str(), nullptr);
  }
  return ::listen(out.get(), kBacklog) == 0 ? sys::kOk : sys::fail("listen", path.c_str());
}

}  // namespace

Napi::Value serve_plans(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return throw_failure(env, sys::fail(ENOSYS, "napi_get_uv_event_loop", nullptr, nullptr));
  }
  UniqueFd socket;
  if (options.Get("path").IsString()) {
    const std::string path = options.Get("path").ToString();
    if (const Failure failure = listen_at(path, socket); failure) {
      return throw_failure(env, failure);
    }
  } else {
    socket = UniqueFd(options.Get("fd").ToNumber());
    if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
      return throw_failure(env, sys::fail("fcntl", "the listening socket"));
    }
  }
  UniqueFd mountinfo(::open(kMountinfo, O_RDONLY | O_CLOEXEC));
  UniqueFd second(::open(kMountinfo, O_RDONLY | O_CLOEXEC));
  if (!mountinfo.valid() || !second.valid()) {
    return throw_failure(env, sys::fail("open", kMountinfo));
  }
  const std::string executable = options.Get("executable").ToString();
  auto* server = new Server(
      env, loop, options.Get("hear").As<Napi::Function>(), options.Get("forget").As<Napi::Function>(),
      options.Get("look").As<Napi::Function>(), launcher::overlaid_executable(executable.c_str()),
      options.Get("most").ToNumber().Uint32Value());
  if (!server->listen(std::move(socket), std::move(mountinfo), std::move(second))) {
    server->stop();
    return throw_failure(env, sys::fail(EIO, "epoll_ctl", nullptr, nullptr));
  }
  static uint32_t last = 0;
  servers().emplace(++last, server);
  return Napi::Number::New(env, last);
}

Napi::Value answer_plan(const Napi::CallbackInfo& info) {
  Server* server = find_server(info[0]);
  Caller* caller = server == nullptr ? nullptr : server->find(info[1].ToNumber());
  if (caller != nullptr) {
    const auto bytes = info[2].As<Napi::Uint8Array>();
    caller->follow(caller->connection().reply(bytes.Data(), bytes.ByteLength(), info[3].ToBoolean()));
  }
  return info.Env().Undefined();
}

Napi::Value drop_plan(const Napi::CallbackInfo& info) {
  if (Server* server = find_server(info[0]); server != nullptr) {
    server->drop(info[1].ToNumber());
  }
  return info.Env().Undefined();
}

Napi::Value plan_callers(const Napi::CallbackInfo& info) {
  const Server* server = find_server(info[0]);
  return Napi::Number::New(info.Env(), server == nullptr ? 0 : static_cast<double>(server->callers()));
}

namespace {

[[nodiscard]] std::string bytes_of(const Napi::Value& value) {
  const auto bytes = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()};
}

[[nodiscard]] RepeatedPlans::Plan read_plan(const Napi::Object& from) {
  RepeatedPlans::Plan plan{bytes_of(from.Get("message")), {}, {}, bytes_of(from.Get("reply")), {}};
  const auto words = from.Get("words").As<Napi::Array>();
  for (uint32_t i = 0; i < words.Length(); ++i) {
    const auto one = words.Get(i).As<Napi::Object>();
    RepeatedPlans::Word& word = plan.words.emplace_back();
    word.index = one.Get("index").ToNumber().Uint32Value();
    word.is_path = one.Get("kind").ToString().Utf8Value() == "path";
    const auto places = one.Get("places").As<Napi::Array>();
    for (uint32_t k = 0; k < places.Length(); ++k) {
      word.places.push_back(places.Get(k).ToNumber().Uint32Value());
    }
  }
  const auto looks = from.Get("looks").As<Napi::Array>();
  for (uint32_t i = 0; i < looks.Length(); ++i) {
    const auto one = looks.Get(i).As<Napi::Array>();
    plan.looks.push_back({one.Get(0U).ToString(), one.Get(1U).ToString()});
  }
  return plan;
}

}  // namespace

Napi::Value keep_plan(const Napi::CallbackInfo& info) {
  if (Server* server = find_server(info[0]); server != nullptr) {
    server->look_if_changed();
    server->repeated().keep(read_plan(info[1].As<Napi::Object>()),
                            static_cast<uint64_t>(info[2].ToNumber().Int64Value()));
  }
  return info.Env().Undefined();
}

Napi::Value kept_facts(const Napi::CallbackInfo& info) {
  sys::Array<char> facts;
  return launcher::add_kept_facts(facts)
             ? Napi::String::New(info.Env(), facts.data(), facts.size()).As<Napi::Value>()
             : info.Env().Undefined();
}

Napi::Value keep_in_file(const Napi::CallbackInfo& info) {
  const std::string root = info[0].ToString();
  RepeatedPlans::Plan plan = read_plan(info[1].As<Napi::Object>());
  const auto files = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < files.Length(); ++i) {
    plan.files.push_back(files.Get(i).ToString());
  }
  const sys::Array<char> entry = entry_of(plan);
  launcher::KeptPlans plans;
  if (!entry.empty() && plans.open(root.c_str())) {
    plans.keep({entry.data(), entry.size()}, info[3].ToString().Utf8Value());
  }
  return info.Env().Undefined();
}

Napi::Value repeated_plans(const Napi::CallbackInfo& info) {
  const Server* server = find_server(info[0]);
  return Napi::Number::New(info.Env(), server == nullptr ? 0 : static_cast<double>(server->repeats()));
}

Napi::Value stop_plans(const Napi::CallbackInfo& info) {
  if (Server* server = find_server(info[0]); server != nullptr) {
    servers().erase(info[0].ToNumber());
    server->stop();
  }
  return info.Env().Undefined();
}

}  // namespace tsrunc::addon
