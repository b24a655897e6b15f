// What the sanitizers do unless ASAN_OPTIONS and UBSAN_OPTIONS say otherwise; a container's first process has
// no such environment. Leaks are not looked for: every process of the engine ends by execve or _exit.

extern "C" const char* __asan_default_options();
extern "C" const char* __ubsan_default_options();

extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:abort_on_error=1";
}
extern "C" const char* __ubsan_default_options() {
  return "print_stacktrace=1:abort_on_error=1";
}
