// Hooks of the runtime namespace: prestart, createRuntime, poststart, poststop.
#include <cstring>

#include "engine/hooks.h"
#include "engine/host_context.h"
#include "engine/state_buffer.h"
#include "sys/text.h"

namespace tsrunc::engine {

sys::Failure run(HostContext& context, const wire::RunHook& op) {
  if (context.sync.valid()) {
    // Still creating. runtime.md "Lifecycle": once a hook of create was begun, poststop hooks follow even if
    // it fails.
    TSRUNC_TRY(context.state.journal("hooks", op.name.data));
  }
  StateBuffer state;
  SavedState saved;
  // Before init is ready there is no saved state, and no time of creation to tell.
  const bool known = !context.state.load_state(saved);
  const bool stopped = std::strcmp(op.status.data, "stopped") == 0;
  TSRUNC_TRY(state.format(context.plan.header, stopped ? 0 : context.init.pid, op.status.data,
                          known ? saved.created : ""));
  sys::Failure failure = run_hook(op, state.input(), context.detail, sizeof context.detail);
  if (failure && !op.fatal) {
    // runtime.md "Lifecycle" 13: a failing poststop hook is only worth a warning.
    char text[sizeof context.detail + 256];
    sys::Text(text)
        .add(op.name.data)
        .add(" hook ")
        .add(op.path.data)
        .add(": ")
        .add(failure.detail == nullptr ? "could not be run" : failure.detail);
    context.log.warn(text);
    return sys::kOk;
  }
  return failure;
}

}  // namespace tsrunc::engine
