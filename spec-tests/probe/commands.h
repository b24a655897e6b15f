// The probe's commands. Each takes its own words of the command line and fills one JSON object, which main()
// prints as one line. An errno is reported by its number and its symbolic name, 0 and "" for success.
#pragma once

#include <string>
#include <vector>

#include "json.h"

namespace probe {

using Words = std::vector<std::string>;
using Command = void (*)(const Words& words, Json& out);

struct Entry {
  const char* name;
  size_t min_words;
  Command run;
};

extern const Entry kReportCommands[];
extern const Entry kFileCommands[];
extern const Entry kSyscallCommands[];
extern const Entry kProcessCommands[];
extern const Entry kTerminalCommands[];
extern const Entry kSchedulingCommands[];

// The program's whole argv and what happened to standard output, for `report`.
extern int g_argc;
extern char** g_argv;

// "EPERM" for EPERM; "" for 0.
std::string errno_name(int error);
// Adds "errno" and "error" of a call that returned `result`.
void put_errno(Json& out, int64_t result, int error);
// The whole file, or what could be read of it; *error gets the errno (0: none).
std::string slurp(const char* path, int* error);
std::string read_link(const char* path);
// One finished line of output, written at once so that nothing is lost when the process is killed later.
void print_line(const std::string& line);
uint64_t parse_number(const std::string& word);

}  // namespace probe
