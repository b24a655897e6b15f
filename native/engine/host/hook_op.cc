// Hooks of the runtime namespace: prestart, createRuntime, poststart, poststop.
#include <fcntl.h>

#include <cstring>
#include <utility>

#include "engine/failure_text.h"
#include "engine/hooks.h"
#include "engine/host_context.h"
#include "engine/state_buffer.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {

namespace {

// crun's annotations run.oci.hooks.stdout and .stderr.
[[nodiscard]] sys::Result<sys::UniqueFd> open_output(const char* path) {
  return sys::open_host(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0600);
}

struct OutputFiles {
  sys::UniqueFd standard;
  sys::UniqueFd error;
};

[[nodiscard]] sys::Failure open_outputs(const wire::RunHook& op, OutputFiles& out) {
  for (const auto& [path, fd] :
       {std::pair{&op.stdout_path, &out.standard}, std::pair{&op.stderr_path, &out.error}}) {
    if (path->empty()) {
      continue;
    }
    sys::Result<sys::UniqueFd> file = open_output(path->data);
    if (!file.ok()) {
      return file.failure();
    }
    *fd = std::move(*file);
  }
  return sys::kOk;
}

// runtime.md "Lifecycle" 13: a failing poststop hook is only worth a warning.
void warn(HostContext& context, const wire::RunHook& op, const sys::Failure& failure) {
  char text[sizeof context.detail + 256];
  char what[sizeof context.detail];
  sys::Text(what).add(op.name.data).add(" hook ").add(op.path.data);
  sys::Text out(text);
  add_failure(out, what, failure);
  context.log.warn(text);
}

}  // namespace

sys::Failure run(HostContext& context, const wire::OpenHookOutput& op) {
  if (op.slot >= kMaxSlots) {
    return sys::fail(EINVAL, "plan", nullptr, "a slot has an impossible number");
  }
  sys::Result<sys::UniqueFd> file = open_output(op.path.data);
  if (!file.ok()) {
    return file.failure();
  }
  context.slots[op.slot] = std::move(*file);
  return sys::kOk;
}

sys::Failure run(HostContext& context, const wire::RunHook& op) {
  if (context.sync.valid()) {
    // Still creating. runtime.md "Lifecycle": once a hook of create was begun, poststop hooks follow even if
    // it fails.
    TSRUNC_TRY(context.state.journal("hooks", op.name.data));
  }
  StateBuffer state;
  SavedState saved;
  // Before init is ready there is no saved state, and no time of creation to tell.
  const sys::Failure loaded = context.state.load_state(saved);
  if (loaded && loaded.code != ENODATA) {
    if (op.fatal) {
      return loaded;
    }
    warn(context, op, loaded);
  }
  const bool stopped = std::strcmp(op.status.data, "stopped") == 0;
  OutputFiles files;
  sys::Failure failure = state.format(context.plan.header, stopped ? 0 : context.init.pid, op.status.data,
                                      loaded ? "" : saved.created);
  if (!failure) {
    failure = open_outputs(op, files);
  }
  if (!failure) {
    const HookOutput output{files.standard.get(), files.error.get()};
    // A container that ends while it is made has no use for a hook; the signal that ended it may be meant for
    // all.
    const int init =
        op.fatal && context.sync.valid() && context.init_pidfd.valid() ? context.init_pidfd.get() : -1;
    failure = run_hook(op, state.input(), output, init, context.detail, sizeof context.detail);
    if (failure.code == ECHILD) {
      failure = describe_death(context);
    }
  }
  if (failure && !op.fatal) {
    warn(context, op, failure);
    return sys::kOk;
  }
  return failure;
}

}  // namespace tsrunc::engine
