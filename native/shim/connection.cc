#include "shim/connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace tsrunc::shim {

uint32_t read_u32(const char* bytes) noexcept {
  uint32_t number = 0;
  for (int i = 0; i < 4; ++i) {
    number = number << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return number;
}

void write_u32(char* bytes, uint32_t number) noexcept {
  for (int i = 3; i >= 0; --i, number >>= 8) {
    bytes[i] = static_cast<char>(number);
  }
}

void ByteQueue::drop(size_t count) noexcept {
  start_ += count;
  if (start_ == bytes_.size()) {
    bytes_.~Array();
    new (&bytes_) sys::Array<char>();
    start_ = 0;
  } else if (start_ > bytes_.size() / 2) {
    std::memmove(bytes_.data(), bytes_.data() + start_, bytes_.size() - start_);
    bytes_.resize(bytes_.size() - start_);
    start_ = 0;
  }
}

Moved read_into(int fd, ByteQueue& queue) noexcept {
  char chunk[16384];
  const ssize_t count = ::recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (count > 0) {
    queue.append(chunk, static_cast<size_t>(count));
    return Moved::kSome;
  }
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? Moved::kNothing : Moved::kClosed;
}

Moved write_from(int fd, ByteQueue& queue) noexcept {
  if (queue.size() == 0) {
    return Moved::kNothing;
  }
  const ssize_t count = ::send(fd, queue.data(), queue.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count >= 0) {
    queue.drop(static_cast<size_t>(count));
    return Moved::kSome;
  }
  return errno == EAGAIN || errno == EINTR ? Moved::kNothing : Moved::kClosed;
}

Connection::~Connection() {
  while (first_ != nullptr) {
    std::free(std::exchange(first_, first_->next));
  }
}

bool Connection::next_frame(size_t& size) const noexcept {
  size = 0;
  if (in.size() < kFrameHeader) {
    return true;
  }
  const size_t payload = read_u32(in.data());
  if (payload > kMostPayload) {
    return false;
  }
  size = in.size() < kFrameHeader + payload ? 0 : kFrameHeader + payload;
  return true;
}

void Connection::remember(const char* frame, size_t size) noexcept {
  auto* request = static_cast<Request*>(std::malloc(sizeof(Request) + size));
  if (request == nullptr) {
    std::abort();
  }
  *request = {nullptr, read_u32(frame + 4), size};
  std::memcpy(request + 1, frame, size);
  (last_ == nullptr ? first_ : last_->next) = request;
  last_ = request;
}

void Connection::forget(uint32_t stream) noexcept {
  Request* before = nullptr;
  for (Request* request = first_; request != nullptr; before = request, request = request->next) {
    if (request->stream == stream) {
      (before == nullptr ? first_ : before->next) = request->next;
      last_ = last_ == request ? before : last_;
      std::free(request);
      return;
    }
  }
}

Connection* make_connection(uint32_t number, int fd) noexcept {
  void* memory = std::malloc(sizeof(Connection));
  return memory == nullptr ? nullptr : new (memory) Connection(number, fd);
}

void end_connection(Connection* connection) noexcept {
  connection->~Connection();
  std::free(connection);
}

}  // namespace tsrunc::shim
