// CRIU as a child that serves one request: `criu swrk FD`, CRIU's rpc.proto over a SOCK_SEQPACKET socket.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/decoder.h"

namespace tsrunc::engine {

// criu_req_type of rpc.proto.
enum class CriuRequest : uint32_t { kRestore = 2, kNotify = 6 };

// criu_resp, as far as it is used.
struct CriuResponse {
  uint32_t type = 0;
  bool success = false;
  int64_t error = 0;       // cr_errno
  int64_t pid = 0;         // of the restored process: criu_restore_resp, or of a notification
  char script[32] = {};    // name of a notification
  char message[256] = {};  // cr_errmsg
};

// False for bytes that are not a message in the wire format of Protocol Buffers.
[[nodiscard]] bool decode_response(const uint8_t* data, size_t size, CriuResponse& out) noexcept;

// Where CRIU works. Descriptors of ours, which it opens by /proc/PID/fd.
struct CriuPlace {
  int images = -1;
  int work = -1;
  const char* log = nullptr;  // its log, in `work`
  bool waits = false;         // for a partner, which may take its time (criu(8) --lazy-pages)
};

class Criu {
 public:
  // Starts `path` with `environment`. `root`: a directory that is to be a mount in a mount namespace of
  // CRIU's own, or nullptr for none. `inherit`: descriptors from 3 on, behind the socket, that it is to have.
  [[nodiscard]] sys::Failure start(const char* path, const wire::StrList& environment, const char* root,
                                   const int* inherit, size_t inherited) noexcept;
  // `type`: criu_req_type.
  [[nodiscard]] sys::Failure send(uint32_t type, const wire::Bytes& options, const CriuPlace& place) noexcept;
  // The next message; a notification is not answered yet. `fd` takes a descriptor that came along.
  // `restored`: pidfd of the process that is restored, if there is one: a child of ours, whose death CRIU is
  // not told of (ECHILD). ETIMEDOUT: CRIU neither answers nor writes to its log.
  [[nodiscard]] sys::Failure receive(CriuResponse& out, sys::UniqueFd* fd = nullptr,
                                     int restored = -1) noexcept;
  [[nodiscard]] sys::Failure answer(bool success) noexcept;
  // Closes the socket and waits until it has ended; SIGKILL ends what does not.
  void finish() noexcept;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] const sys::UniqueFd& pidfd() const noexcept { return pidfd_; }

  Criu() = default;
  ~Criu() { finish(); }
  Criu(const Criu&) = delete;
  Criu& operator=(const Criu&) = delete;

 private:
  [[nodiscard]] sys::Failure await_message(int restored) noexcept;

  const char* path_ = nullptr;
  pid_t pid_ = 0;
  sys::UniqueFd pidfd_;
  sys::UniqueFd socket_;
  CriuPlace place_;
};

// A restore between its operations.
struct Restoring {
  Criu criu;
  sys::UniqueFd images;
  sys::UniqueFd work;
  const char* work_path = nullptr;
  const char* log_file = nullptr;
  bool owes_answer = false;
};

// What went wrong, in CRIU's words: its message, and the first lines of `log` in the directory `work` that
// tell of an error; `work_path` names the directory.
[[nodiscard]] sys::Failure criu_failure(const CriuResponse& response, int work, const char* work_path,
                                        const char* log, char* detail, size_t size) noexcept;

}  // namespace tsrunc::engine
