// A growing array of plain values for the host side, which may allocate. Not std::vector: its checks pull the
// exception machinery and half of libstdc++ into a static executable that must stay small.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

namespace tsrunc::sys {

template <typename T>
class Array {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  Array() noexcept = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  Array(Array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)) {}
  Array& operator=(Array&&) = delete;
  ~Array() { std::free(data_); }

  // `size` elements in all, new ones with the bytes that they happen to have. Without memory the process
  // ends: nothing that is undone by `delete --force` gets lost by that.
  void resize(size_t size) noexcept {
    if (size > room_) {
      const size_t room = size > 2 * room_ ? size : 2 * room_;
      void* grown = std::realloc(static_cast<void*>(data_), room * sizeof(T));
      if (grown == nullptr) {
        std::abort();
      }
      data_ = static_cast<T*>(grown);
      room_ = room;
    }
    size_ = size;
  }
  void push(const T& value) noexcept {
    const T copy = value;
    resize(size_ + 1);
    data_[size_ - 1] = copy;
  }
  void append(const T* values, size_t count) noexcept {
    if (count == 0) {
      return;
    }
    const size_t at = size_;
    resize(size_ + count);
    std::memcpy(static_cast<void*>(data_ + at), values, count * sizeof(T));
  }
  void clear() noexcept { size_ = 0; }

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] T* data() noexcept { return data_; }
  [[nodiscard]] const T* data() const noexcept { return data_; }
  [[nodiscard]] T& operator[](size_t index) noexcept { return data_[index]; }
  [[nodiscard]] const T& operator[](size_t index) const noexcept { return data_[index]; }
  [[nodiscard]] T* begin() noexcept { return data_; }
  [[nodiscard]] T* end() noexcept { return data_ + size_; }
  [[nodiscard]] const T* begin() const noexcept { return data_; }
  [[nodiscard]] const T* end() const noexcept { return data_ + size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t room_ = 0;
};

}  // namespace tsrunc::sys
