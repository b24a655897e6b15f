#include <unistd.h>

#include "launcher/describe.h"
#include "launcher/verbs.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "wire/ops.gen.h"

// Of package.json and git, by binding.gyp.
#ifndef TSRUNC_VERSION
#define TSRUNC_VERSION "unknown"
#endif
#ifndef TSRUNC_COMMIT
#define TSRUNC_COMMIT ""
#endif

namespace tsrunc::launcher {

// As runc prints it: engines read the first line and the ones that begin with a word and a colon.
int run_version(Logger& log) {
  char buffer[256];
  sys::Text text(buffer);
  text.add("tsrunc version " TSRUNC_VERSION "\n");
  if (TSRUNC_COMMIT[0] != 0) {
    text.add("commit: " TSRUNC_COMMIT "\n");
  }
  text.add("spec: ").add(wire::kSpecVersion).add("\n");
  if (const sys::Failure failure = sys::write_all(STDOUT_FILENO, buffer, text.size(), "stdout"); failure) {
    log.error(Sentence("print the version", failure).text);
    return 1;
  }
  return 0;
}

}  // namespace tsrunc::launcher
