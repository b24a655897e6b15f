#include "launcher/become.h"

#include <fcntl.h>
#include <unistd.h>

#include "launcher/node.h"
#include "launcher/trace_file.h"
#include "sys/array.h"

namespace tsrunc::launcher {

void become(int program, int argc, char** argv, char* variable, Traced traced) {
  sys::Array<char*> environment;
  add_environment(environment);
  environment.push(variable);
  char trace[96];
  if (traced == Traced::kYes && hand_trace_on(trace, sizeof trace)) {
    environment.push(trace);
  }
  environment.push(nullptr);
  sys::Array<char*> words;
  char name[] = "tsrunc";
  words.push(name);
  words.append(argv + 1, static_cast<size_t>(argc - 1));
  words.push(nullptr);
  (void)::execveat(program, "", words.data(), environment.data(), AT_EMPTY_PATH);
}

}  // namespace tsrunc::launcher
