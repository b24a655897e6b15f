// A connection of containerd's: frames of ttrpc (u32 length of the payload, u32 stream, u8 type, u8 flags;
// big-endian) on their way, and the requests among them that have no answer yet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/array.h"
#include "sys/unique_fd.h"

namespace tsrunc::shim {

inline constexpr size_t kFrameHeader = 10;
// ttrpc refuses longer messages itself.
inline constexpr size_t kMostPayload = size_t{4} * 1024 * 1024;
inline constexpr char kRequestFrame = 1;

[[nodiscard]] uint32_t read_u32(const char* bytes) noexcept;
void write_u32(char* bytes, uint32_t number) noexcept;

// A queue of bytes that gives its memory back when it is empty.
class ByteQueue {
 public:
  void append(const char* bytes, size_t size) { bytes_.append(bytes, size); }
  [[nodiscard]] const char* data() const noexcept { return bytes_.data() + start_; }
  [[nodiscard]] size_t size() const noexcept { return bytes_.size() - start_; }
  void drop(size_t count) noexcept;

 private:
  sys::Array<char> bytes_;
  size_t start_ = 0;
};

// What a read or write of a non-blocking socket came to.
enum class Moved { kSome, kNothing, kClosed };
[[nodiscard]] Moved read_into(int fd, ByteQueue& queue) noexcept;
[[nodiscard]] Moved write_from(int fd, ByteQueue& queue) noexcept;

struct Request {
  Request* next;
  uint32_t stream;
  size_t size;  // of the whole frame, which follows
  [[nodiscard]] const char* frame() const noexcept { return reinterpret_cast<const char*>(this + 1); }
};

class Connection {
 public:
  Connection(uint32_t number, int fd) noexcept : number(number), fd(fd) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // The next whole frame of `in`; 0 where there is none yet. False: no frame can be so long.
  [[nodiscard]] bool next_frame(size_t& size) const noexcept;
  // Until its answer.
  void remember(const char* frame, size_t size) noexcept;
  void forget(uint32_t stream) noexcept;
  [[nodiscard]] const Request* requests() const noexcept { return first_; }

  const uint32_t number;
  const sys::UniqueFd fd;
  ByteQueue in;
  ByteQueue out;
  Connection* next = nullptr;
  bool closed = false;

 private:
  // In the order in which they came.
  Request* first_ = nullptr;
  Request* last_ = nullptr;
};

// nullptr: no memory.
[[nodiscard]] Connection* make_connection(uint32_t number, int fd) noexcept;
void end_connection(Connection* connection) noexcept;

}  // namespace tsrunc::shim
