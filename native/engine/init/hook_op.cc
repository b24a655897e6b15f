// createContainer and startContainer hooks: run by init in the container's namespaces.
#include <unistd.h>

#include "engine/hooks.h"
#include "engine/init/init_context.h"
#include "engine/state_buffer.h"

namespace tsrunc::engine {

sys::Failure run(InitContext& context, const wire::RunHook& op) noexcept {
  StateBuffer state;
  // runtime.md "State": pid as seen from where the hook is.
  TSRUNC_TRY(state.format(context.plan.header, ::getpid(), op.status.data, ""));
  const auto slot = [&](uint32_t number) noexcept {
    return number < kMaxSlots ? context.slots[number].get() : -1;
  };
  const HookOutput output{slot(op.stdout_slot), slot(op.stderr_slot)};
  return run_hook(op, state.input(), output, -1, context.detail, sizeof context.detail);
}

}  // namespace tsrunc::engine
