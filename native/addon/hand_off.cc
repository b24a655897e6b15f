#include "addon/hand_off.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "addon/executable_copy.h"
#include "addon/memory_heir.h"
#include "launcher/handoff.h"
#include "launcher/sealed.h"

namespace tsrunc::addon {
namespace {

[[nodiscard]] bool is_variable(const char* entry, const char* name) {
  const size_t length = std::strlen(name);
  return std::strncmp(entry, name, length) == 0 && entry[length] == '=';
}

// The environment as it is, without the two variables that tsrunc and node speak through.
[[nodiscard]] std::vector<char*> callers_environment() {
  std::vector<char*> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!is_variable(*entry, launcher::kHandoffVariable) && !is_variable(*entry, launcher::kPlanVariable)) {
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
                      const std::vector<std::string>& argv) {
  auto program = open_program(executable, plan != nullptr);
  if (!program.ok()) {
    return program.failure();
  }
  std::vector<char*> env = callers_environment();
  std::string variable;
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
    env.push_back(variable.data());
  }
  env.push_back(nullptr);
  (void)::execveat(program->get(), "", args.data(), env.data(), AT_EMPTY_PATH);
  return sys::fail("execveat", executable.c_str());
}

}  // namespace tsrunc::addon
