#include "addon/errors.h"

#include <uv.h>

#include <cstring>
#include <string>

namespace tsrunc::addon {

Napi::Value throw_failure(Napi::Env env, const sys::Failure& failure) {
  const char* text = failure.detail != nullptr ? failure.detail : std::strerror(failure.code);
  const std::string code = uv_err_name(-failure.code);
  std::string message = code + ": " + text;
  if (failure.call != nullptr) {
    message += std::string(", ") + failure.call;
  }
  if (failure.path != nullptr) {
    message += std::string(" '") + failure.path + "'";
  }
  const Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  error.Set("errno", Napi::Number::New(env, -failure.code));
  if (failure.call != nullptr) {
    error.Set("syscall", Napi::String::New(env, failure.call));
  }
  if (failure.path != nullptr) {
    error.Set("path", Napi::String::New(env, failure.path));
  }
  if (failure.detail != nullptr) {
    error.Set("detail", Napi::String::New(env, failure.detail));
  }
  error.ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace tsrunc::addon
