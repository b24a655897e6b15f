#include "engine/save_state.h"

#include "engine/created_time.h"
#include "engine/owner.h"

namespace tsrunc::engine {

using sys::Failure;

Failure draft_state(HostContext& context) {
  SavedState saved;
  saved.init = context.init;
  const auto owner = find_owner(context.plan.launch);
  TSRUNC_TRY(owner.failure());
  saved.owner = *owner;
  format_now(saved.created, sizeof saved.created);
  return context.state.draft_state(saved);
}

Failure save_state(HostContext& context) {
  if (!context.state.has_draft(context.init)) {
    TSRUNC_TRY(draft_state(context));
  }
  return context.state.publish_draft();
}

}  // namespace tsrunc::engine
