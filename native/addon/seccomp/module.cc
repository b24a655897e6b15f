// The edge between node and libseccomp: a module of its own, so that libseccomp is loaded only where a
// profile has to be compiled (src/native/binding.ts is its other half).
#include <napi.h>

#include <cstring>
#include <utility>

#include "addon/errors.h"
#include "addon/seccomp/compile.h"
#include "addon/seccomp/library.h"
#include "addon/seccomp/request.h"

namespace tsrunc::addon {
namespace {

Napi::Value run_compile(const Napi::CallbackInfo& info) {
  const auto bytes = info[0].As<Napi::Uint8Array>();
  SeccompRequest request;
  Program program;
  sys::Failure failure = decode_request(bytes.Data(), bytes.ByteLength(), request);
  if (!failure) {
    failure = compile_seccomp(request, program);
  }
  if (failure) {
    return throw_failure(info.Env(), failure);
  }
  const size_t size = program.size() * sizeof(sock_filter);
  Napi::Uint8Array out = Napi::Uint8Array::New(info.Env(), size);
  std::memcpy(out.Data(), program.data(), size);
  return out;
}

// Architectures and flags are asked for by name: the lists of names live in src/tables.
Napi::Value run_knows_architecture(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), seccomp_architecture(info[0].ToString()) != 0);
}

Napi::Value run_supports_flag(const Napi::CallbackInfo& info) {
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

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", Napi::String::New(env, seccomp_version_text()));
  exports.Set("library", Napi::String::New(env, seccomp_library_path()));
  exports.Set("compile", Napi::Function::New(env, run_compile));
  exports.Set("knowsArchitecture", Napi::Function::New(env, run_knows_architecture));
  exports.Set("supportsFlag", Napi::Function::New(env, run_supports_flag));
  return exports;
}

}  // namespace

NODE_API_MODULE(tsrunc_seccomp, init)

}  // namespace tsrunc::addon
