#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/test.h"

namespace tsrunc::tests {
namespace {

Test* all = nullptr;
int failures = 0;

int remove_entry(const char* path, const struct stat* /*about*/, int /*type*/, struct FTW* /*walk*/) {
  return ::remove(path);
}

}  // namespace

Test::Test(const char* the_name, void (*the_run)()) : name(the_name), run(the_run), next(all) {
  all = this;
}

void failed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what);
  ++failures;
}

TemporaryDirectory::TemporaryDirectory() {
  if (::mkdtemp(path_) == nullptr) {
    std::perror(path_);
    ::exit(2);
  }
}

TemporaryDirectory::~TemporaryDirectory() {
  constexpr int kDescriptors = 16;
  if (::nftw(path_, remove_entry, kDescriptors, FTW_DEPTH | FTW_PHYS) != 0) {
    std::perror(path_);
    ++failures;
  }
}

}  // namespace tsrunc::tests

int main() {
  using namespace tsrunc::tests;
  int count = 0;
  for (const Test* test = all; test != nullptr; test = test->next) {
    const int before = failures;
    test->run();
    ++count;
    if (failures != before) {
      std::fprintf(stderr, "FAILED %s\n", test->name);
    }
  }
  std::printf("%d tests, %d failures\n", count, failures);
  return failures == 0 ? 0 : 1;
}
