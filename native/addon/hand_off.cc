#include "addon/hand_off.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "addon/container_lock.h"
#include "addon/executable_copy.h"
#include "addon/memory_heir.h"
#include "launcher/handoff.h"
#include "launcher/sealed.h"
#include "launcher/trace_file.h"

namespace tsrunc::addon {
namespace {

[[nodiscard]] bool is_variable(const char* entry, const char* name) {
  const size_t length = std::strlen(name);
  return std::strncmp(entry, name, length) == 0 && entry[length] == '=';
}

// The environment as it is, without the variables that tsrunc and node speak through.
[[nodiscard]] std::vector<char*> callers_environment() {
  std::vector<char*> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!is_variable(*entry, launcher::kHandoffVariable) && !is_variable(*entry, launcher::kPlanVariable) &&
        !is_variable(*entry, launcher::kTraceVariable) &&
        !is_variable(*entry, launcher::kConsideredVariable)) {
      out.push_back(*entry);
    }
  }
  return out;
}

[[nodiscard]] sys::Result<sys::UniqueFd> open_program(const std::string& executable, bool sealed) {
  if (sealed) {
    return take_copy(executable);
  }
  sys::UniqueFd file(::open(executable.c_str(), O_PATH | O_CLOEXEC));
  if (!file.valid()) {
    return sys::fail("open", executable.c_str());
  }
  return file;
}

}  // namespace

sys::Failure hand_off(const std::string& executable, int handoff, const PlanBytes* plan,
                      const std::vector<std::string>& argv, const std::string& trace) {
  auto program = open_program(executable, plan != nullptr);
  if (!program.ok()) {
    return program.failure();
  }
  std::vector<char*> env = callers_environment();
  std::string variable;
  std::string trace_variable;
  sys::UniqueFd memory;
  if (plan != nullptr) {
    auto sealed = launcher::sealed_bytes("tsrunc-plan", plan->data, plan->size);
    if (!sealed.ok()) {
      return sealed.failure();
    }
    memory = std::move(*sealed);
  }
  std::vector<char*> args;
  args.reserve(argv.size() + 1);
  for (const std::string& argument : argv) {
    args.push_back(const_cast<char*>(argument.c_str()));  // execve(2) does not write to it
  }
  args.push_back(nullptr);

  TSRUNC_TRY(launcher::restore_caller(handoff));
  if (memory.valid()) {
    if (::fcntl(memory.get(), F_SETFD, 0) != 0) {
      return sys::fail("fcntl", "the plan");
    }
    variable = std::string(launcher::kPlanVariable) + "=" + std::to_string(memory.get()) + ":" +
               std::to_string(start_heir());
    if (const int lock = locked_container(); lock >= 0) {
      if (::fcntl(lock, F_SETFD, 0) != 0) {
        return sys::fail("fcntl", "the lock of the container");
      }
      variable += ":" + std::to_string(lock);
    }
    env.push_back(variable.data());
  }
  if (!trace.empty()) {
    if (::fcntl(std::atoi(trace.c_str()), F_SETFD, 0) != 0) {
      return sys::fail("fcntl", "the file of --trace");
    }
    trace_variable = std::string(launcher::kTraceVariable) + "=" + trace;
    env.push_back(trace_variable.data());
  }
  env.push_back(nullptr);
  (void)::execveat(program->get(), "", args.data(), env.data(), AT_EMPTY_PATH);
  return sys::fail("execveat", executable.c_str());
}

}  // namespace tsrunc::addon
