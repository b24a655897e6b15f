// Errors are values. A Failure says which system call failed, why, and on which path; it never owns memory,
// so that it can be made after clone, where nothing may allocate.
#pragma once

#include <cerrno>
#include <cstdint>
#include <utility>

namespace tsrunc::sys {

// A failure or, with code 0, success. `call`: name of the system call or step, static storage. `path`: what
// it was tried on, or nullptr; must outlive the value (plan strings and static text do). `detail`: a sentence
// for a person that replaces the errno's text, static storage or the arena, or nullptr.
struct [[nodiscard]] Failure {
  int code = 0;
  const char* call = nullptr;
  const char* path = nullptr;
  const char* detail = nullptr;

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return code != 0; }
};

inline constexpr Failure kOk{};

// The code of a failure that is no system call's: its detail says all.
inline constexpr int kNoErrno = -1;

[[nodiscard]] inline Failure fail(const char* call, const char* path = nullptr) noexcept {
  const int code = errno;
  return {code != 0 ? code : EIO, call, path, nullptr};
}

[[nodiscard]] inline Failure fail(int code, const char* call, const char* path, const char* detail) noexcept {
  return {code, call, path, detail};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept : value_(std::move(value)) {}   // NOLINT(google-explicit-constructor)
  Result(Failure failure) noexcept : failure_(failure) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const noexcept { return !failure_; }
  [[nodiscard]] const Failure& failure() const noexcept { return failure_; }
  [[nodiscard]] T& operator*() noexcept { return value_; }
  [[nodiscard]] const T& operator*() const noexcept { return value_; }
  [[nodiscard]] T* operator->() noexcept { return &value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }

 private:
  T value_{};
  Failure failure_{};
};

}  // namespace tsrunc::sys

// Return the failure of a step, if it failed.
#define TSRUNC_TRY(step)                                            \
  do {                                                              \
    if (::tsrunc::sys::Failure try_failure = (step); try_failure) { \
      return try_failure;                                           \
    }                                                               \
  } while (0)
