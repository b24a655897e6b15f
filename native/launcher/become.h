// One process, several programs: tsrunc goes on as another executable of its own.
#pragma once

namespace tsrunc::launcher {

enum class Traced : bool { kNo, kYes };

// Executes the file behind `program` with the words of `argv` behind the first one, the caller's environment
// and `variable`, "NAME=VALUE" as launcher/handoff.h has it; kYes: the file of --trace is passed on. Returns
// only if it fails, with errno.
void become(int program, int argc, char** argv, char* variable, Traced traced);

}  // namespace tsrunc::launcher
