// What an assertion of the C library comes to. Its own version translates the message, for which a static
// executable would carry message catalogues, character sets and a loader of shared objects.
#include <unistd.h>

#include <cstdlib>

#include "sys/small_file.h"
#include "sys/text.h"

extern "C" [[noreturn]] void __assert_fail(const char* assertion, const char* file, unsigned line,
                                           const char* function) noexcept {
  char text[512];
  const tsrunc::sys::Text said = tsrunc::sys::Text(text)
                                     .add("tsrunc: ")
                                     .add(file)
                                     .add(":")
                                     .add(uint64_t{line})
                                     .add(": ")
                                     .add(function == nullptr ? "" : function)
                                     .add(": this does not hold: ")
                                     .add(assertion)
                                     .add("\n");
  (void)tsrunc::sys::write_all(STDERR_FILENO, said.c_str(), said.size(), nullptr);
  std::abort();
}
