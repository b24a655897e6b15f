// libFuzzer harness for decode_response: whatever a partner in the place of CRIU sends, it ends, reads
// nothing beyond it, and its texts end.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "engine/host/criu.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tsrunc::engine::CriuResponse response;
  (void)tsrunc::engine::decode_response(data, size, response);
  if (std::strlen(response.script) >= sizeof response.script ||
      std::strlen(response.message) >= sizeof response.message) {
    std::abort();
  }
  return 0;
}
