// The edge between node and C++: arguments in, exceptions out, nothing else (src/native/binding.ts is its
// other half).
#include <napi.h>
#include <unistd.h>

#include <cstring>

#include "addon/container_lock.h"
#include "addon/errors.h"
#include "addon/executable_copy.h"
#include "addon/hand_off.h"
#include "addon/planner_server.h"
#include "addon/program.h"
#include "addon/seccomp_cache.h"
#include "launcher/handoff.h"
#include "launcher/log_socket.h"
#include "sys/crc32c.h"

namespace tsrunc::addon {
namespace {

[[nodiscard]] std::vector<std::string> strings(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  std::vector<std::string> out;
  out.reserve(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    out.push_back(list.Get(i).ToString().Utf8Value());
  }
  return out;
}

[[nodiscard]] std::string text(const Napi::Value& value) {
  return value.IsString() ? value.ToString().Utf8Value() : std::string();
}

Napi::Value run_hand_off(const Napi::CallbackInfo& info) {
  const std::string executable = info[0].ToString();
  const auto plan = info[2].As<Napi::Uint8Array>();
  const PlanBytes bytes{plan.Data(), plan.ByteLength()};
  const std::vector<std::string> argv = strings(info[3]);
  return throw_failure(info.Env(), hand_off(executable, info[1].ToNumber(), &bytes, argv, text(info[4])));
}

Napi::Value run_begin_hand_off(const Napi::CallbackInfo& info) {
  begin_copy(info[0].ToString());
  return info.Env().Undefined();
}

Napi::Value run_lock_container(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString();
  const sys::Failure failure = lock_container(path, info[1].ToNumber().Int32Value());
  return failure ? throw_failure(info.Env(), failure) : info.Env().Undefined();
}

Napi::Value run_execute(const Napi::CallbackInfo& info) {
  const std::string executable = info[0].ToString();
  const std::vector<std::string> argv = strings(info[2]);
  return throw_failure(info.Env(), hand_off(executable, info[1].ToNumber(), nullptr, argv, text(info[3])));
}

[[nodiscard]] SeccompCacheKey cache_key(const Napi::CallbackInfo& info) {
  const auto request = info[2].As<Napi::Uint8Array>();
  return {info[0].ToString(), info[1].ToString(), request.Data(), request.ByteLength()};
}

Napi::Value run_find_seccomp(const Napi::CallbackInfo& info) {
  const std::vector<sock_filter> program = find_program(cache_key(info));
  if (program.empty()) {
    return info.Env().Undefined();
  }
  const size_t size = program.size() * sizeof(sock_filter);
  Napi::Uint8Array out = Napi::Uint8Array::New(info.Env(), size);
  std::memcpy(out.Data(), program.data(), size);
  return out;
}

Napi::Value run_keep_seccomp(const Napi::CallbackInfo& info) {
  const auto program = info[4].As<Napi::Uint8Array>();
  keep_program(cache_key(info), info[3].ToString(), program.Data(), program.ByteLength());
  return info.Env().Undefined();
}

Napi::Value run_checksum(const Napi::CallbackInfo& info) {
  const auto bytes = info[0].As<Napi::Uint8Array>();
  return Napi::Number::New(info.Env(), sys::crc32c(bytes.Data(), bytes.ByteLength()));
}

Napi::Value run_send_log(const Napi::CallbackInfo& info) {
  const std::string target = info[0].ToString();
  const std::string message = info[2].ToString();
  const char* name = nullptr;
  const launcher::LogService service = launcher::log_service(target.c_str(), name);
  sys::UniqueFd socket;
  sys::Failure failure = launcher::connect_log(service, socket);
  if (!failure) {
    failure = launcher::send_log(socket.get(), service, name, info[1].ToNumber(), message.c_str());
  }
  return failure ? throw_failure(info.Env(), failure) : info.Env().Undefined();
}

Napi::Value run_exit(const Napi::CallbackInfo& info) {
  if (const sys::Failure failure = launcher::restore_caller(info[0].ToNumber().Int32Value()); failure) {
    return throw_failure(info.Env(), failure);
  }
  ::_exit(info[1].ToNumber().Int32Value());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("checksum", Napi::Function::New(env, run_checksum));
  exports.Set("sendLog", Napi::Function::New(env, run_send_log));
  exports.Set("exit", Napi::Function::New(env, run_exit));
  exports.Set("beginHandOff", Napi::Function::New(env, run_begin_hand_off));
  exports.Set("handOff", Napi::Function::New(env, run_hand_off));
  exports.Set("lockContainer", Napi::Function::New(env, run_lock_container));
  exports.Set("execute", Napi::Function::New(env, run_execute));
  exports.Set("findSeccomp", Napi::Function::New(env, run_find_seccomp));
  exports.Set("servePlans", Napi::Function::New(env, serve_plans));
  exports.Set("answerPlan", Napi::Function::New(env, answer_plan));
  exports.Set("dropPlan", Napi::Function::New(env, drop_plan));
  exports.Set("planCallers", Napi::Function::New(env, plan_callers));
  exports.Set("keepPlan", Napi::Function::New(env, keep_plan));
  exports.Set("keptFacts", Napi::Function::New(env, kept_facts));
  exports.Set("keepInFile", Napi::Function::New(env, keep_in_file));
  exports.Set("repeatedPlans", Napi::Function::New(env, repeated_plans));
  exports.Set("stopPlans", Napi::Function::New(env, stop_plans));
  exports.Set("runProgram", Napi::Function::New(env, run_program));
  exports.Set("keepSeccomp", Napi::Function::New(env, run_keep_seccomp));
  return exports;
}

}  // namespace

NODE_API_MODULE(tsrunc_addon, init)

}  // namespace tsrunc::addon
