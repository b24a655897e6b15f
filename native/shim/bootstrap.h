// How containerd starts a shim: by flags and environment until 2.2, by a message on the standard input
// since 2.3 (containerd's docs/runtime-v2.md, api/runtime/bootstrap/v1). Of the message only what `start`
// needs is read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/array.h"

namespace tsrunc::shim {

struct Slice {
  const char* data = nullptr;
  size_t size = 0;
};

// BootstrapParams. Slices point into the bytes that were read.
struct BootstrapParams {
  Slice instance;
  Slice name_space;
  Slice ttrpc_address;
  Slice grpc_address;
};

// False: these bytes are no such message.
[[nodiscard]] bool read_bootstrap(const char* bytes, size_t size, BootstrapParams& out) noexcept;

// BootstrapResult: version, address and protocol.
void add_bootstrap_result(sys::Array<char>& out, uint32_t version, const char* address);

// DeleteResponse: how and when, in seconds since the epoch, a container ended.
void add_delete_response(sys::Array<char>& out, uint32_t status, int64_t time);

// ttrpc's Response with a status (code as of gRPC) and no payload.
void add_refusal(sys::Array<char>& out, uint32_t code, const char* message);

}  // namespace tsrunc::shim
