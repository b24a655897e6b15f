// How a failure becomes a JavaScript exception.
#pragma once

#include <napi.h>

#include "sys/result.h"

namespace tsrunc::addon {

// An Error as node's own system errors are: `code` (the errno's name), `errno` (negative), `syscall`, `path`
// and, where the failure has one, `detail`. Pending when it returns; the value is what a native function then
// returns.
Napi::Value throw_failure(Napi::Env env, const sys::Failure& failure);

}  // namespace tsrunc::addon
