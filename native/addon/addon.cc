// The edge between node and C++: arguments in, exceptions out, nothing else (src/native/binding.ts is its
// other half).
#include <napi.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "addon/errors.h"
#include "addon/executable_copy.h"
#include "addon/hand_off.h"
#include "addon/seccomp.h"
#include "launcher/handoff.h"

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

Napi::Value run_hand_off(const Napi::CallbackInfo& info) {
  const std::string executable = info[0].ToString();
  const auto plan = info[2].As<Napi::Uint8Array>();
  const PlanBytes bytes{plan.Data(), plan.ByteLength()};
  const std::vector<std::string> argv = strings(info[3]);
  return throw_failure(info.Env(), hand_off(executable, info[1].ToNumber(), &bytes, argv));
}

Napi::Value run_begin_hand_off(const Napi::CallbackInfo& info) {
  begin_copy(info[0].ToString());
  return info.Env().Undefined();
}

Napi::Value run_execute(const Napi::CallbackInfo& info) {
  const std::string executable = info[0].ToString();
  const std::vector<std::string> argv = strings(info[2]);
  return throw_failure(info.Env(), hand_off(executable, info[1].ToNumber(), nullptr, argv));
}

[[nodiscard]] uint32_t number(const Napi::Object& object, const char* name) {
  return object.Get(name).ToNumber().Uint32Value();
}

[[nodiscard]] uint64_t big(const Napi::Object& object, const char* name) {
  bool lossless = true;
  return object.Get(name).As<Napi::BigInt>().Uint64Value(&lossless);
}

[[nodiscard]] SeccompRule rule_of(const Napi::Object& object) {
  SeccompRule rule{object.Get("name").ToString(), number(object, "action"), {}};
  const auto conditions = object.Get("conditions").As<Napi::Array>();
  rule.conditions.reserve(conditions.Length());
  for (uint32_t i = 0; i < conditions.Length(); ++i) {
    const Napi::Object one = conditions.Get(i).ToObject();
    rule.conditions.push_back(
        {number(one, "index"), number(one, "op"), big(one, "value"), big(one, "valueTwo")});
  }
  return rule;
}

Napi::Value run_compile_seccomp(const Napi::CallbackInfo& info) {
  const Napi::Object object = info[0].ToObject();
  SeccompRequest request{
      number(object, "defaultAction"), strings(object.Get("architectures")), {}, number(object, "optimize")};
  const auto rules = object.Get("rules").As<Napi::Array>();
  request.rules.reserve(rules.Length());
  for (uint32_t i = 0; i < rules.Length(); ++i) {
    request.rules.push_back(rule_of(rules.Get(i).ToObject()));
  }
  Program program;
  if (const sys::Failure failure = compile_seccomp(request, program); failure) {
    return throw_failure(info.Env(), failure);
  }
  const size_t size = program.size() * sizeof(sock_filter);
  Napi::Uint8Array out = Napi::Uint8Array::New(info.Env(), size);
  std::memcpy(out.Data(), program.data(), size);
  return out;
}

Napi::Value run_seccomp_version(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), seccomp_version_text());
}

// Architectures and flags are asked for by name: the lists of names live in src/tables.
Napi::Value run_seccomp_knows_architecture(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), seccomp_architecture(info[0].ToString()) != 0);
}

Napi::Value run_seccomp_supports_flag(const Napi::CallbackInfo& info) {
  constexpr std::pair<const char*, unsigned> kFlags[] = {
      {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
      {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
      {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
      {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
  };
  const std::string name = info[0].ToString();
  for (const auto& [known, flag] : kFlags) {
    if (name == known) {
      return Napi::Boolean::New(info.Env(), seccomp_flag_supported(flag));
    }
  }
  return Napi::Boolean::New(info.Env(), false);
}

Napi::Value run_exit(const Napi::CallbackInfo& info) {
  if (const sys::Failure failure = launcher::restore_caller(info[0].ToNumber().Int32Value()); failure) {
    return throw_failure(info.Env(), failure);
  }
  ::_exit(info[1].ToNumber().Int32Value());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("exit", Napi::Function::New(env, run_exit));
  exports.Set("beginHandOff", Napi::Function::New(env, run_begin_hand_off));
  exports.Set("handOff", Napi::Function::New(env, run_hand_off));
  exports.Set("execute", Napi::Function::New(env, run_execute));
  exports.Set("compileSeccomp", Napi::Function::New(env, run_compile_seccomp));
  exports.Set("seccompVersion", Napi::Function::New(env, run_seccomp_version));
  exports.Set("seccompKnowsArchitecture", Napi::Function::New(env, run_seccomp_knows_architecture));
  exports.Set("seccompSupportsFlag", Napi::Function::New(env, run_seccomp_supports_flag));
  return exports;
}

}  // namespace

NODE_API_MODULE(tsrunc_addon, init)

}  // namespace tsrunc::addon
