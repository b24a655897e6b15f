// The unit tests' own runner: every TEST of every file is run, every CHECK that fails is told with its place.
#pragma once

#include <cstdio>
#include <cstring>

namespace tsrunc::tests {

struct Test {
  const char* name;
  void (*run)();
  Test* next;
  Test(const char* the_name, void (*the_run)());
};

// Counts a failure and prints where it is.
void failed(const char* file, int line, const char* what);

inline bool same(const char* one, const char* other) {
  return std::strcmp(one, other) == 0;
}

// A directory that is gone again, with everything in it, at the end of the scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const char* path() const { return path_; }

 private:
  char path_[64] = "/tmp/tsrunc-test-XXXXXX";
};

}  // namespace tsrunc::tests

#define TEST(name)                                               \
  static void test_##name();                                     \
  static ::tsrunc::tests::Test entry_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition)                                       \
  do {                                                         \
    if (!(condition)) {                                        \
      ::tsrunc::tests::failed(__FILE__, __LINE__, #condition); \
    }                                                          \
  } while (0)

// Prints what was found instead.
#define CHECK_TEXT(found, wanted)                                         \
  do {                                                                    \
    if (std::strcmp(found, wanted) != 0) {                                \
      std::fprintf(stderr, "found:  %s\nwanted: %s\n", found, wanted);    \
      ::tsrunc::tests::failed(__FILE__, __LINE__, #found " is " #wanted); \
    }                                                                     \
  } while (0)
