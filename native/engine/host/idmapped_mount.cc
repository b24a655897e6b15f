// config.md "Linux mount options" idmap and ridmap: MOUNT_ATTR_IDMAP of mount_setattr(2), from outside of the
// container, whose root has no say over a file system of the host.
#include <sys/mount.h>

#include "engine/host/idmap_failure.h"
#include "engine/host/user_namespace.h"
#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

// user_namespaces(7): EPERM for ids that the caller's own user namespace lacks.
Failure map_refused(const Failure& failure) {
  if (failure.code != EPERM) {
    return failure;
  }
  return fail(EPERM, "write", failure.path,
              "operation not permitted: tsrunc may only map ids that it has in its own user namespace");
}

Result<UniqueFd> make_namespace(const wire::OpenIdMap& op) {
  NamespaceHolder holder;
  TSRUNC_TRY(holder.make());
  if (Failure failure = write_map(holder.pid(), "uid_map", op.uid_map); failure) {
    return map_refused(failure);
  }
  if (Failure failure = write_map(holder.pid(), "gid_map", op.gid_map); failure) {
    return map_refused(failure);
  }
  return user_namespace_of(holder.pid());
}

Result<UniqueFd> open_namespace(const HostContext& context, const wire::OpenIdMap& op) {
  if (!op.path.empty()) {
    return open_user_namespace(op.path.data);
  }
  return op.uid_map.empty() ? user_namespace_of(context.init.pid) : make_namespace(op);
}

}  // namespace

Failure run(HostContext& context, const wire::OpenIdMap& op) {
  Result<UniqueFd> opened = open_namespace(context, op);
  if (!opened.ok()) {
    return opened.failure();
  }
  context.id_map = std::move(*opened);
  return kOk;
}

Failure run(HostContext& context, const wire::MapTree& op) {
  if (op.slot >= kMaxSlots || !context.slots[op.slot].valid() || !context.id_map.valid()) {
    return fail(EBADF, "mount_setattr", op.source.data, nullptr);
  }
  if (set_id_map(context.slots[op.slot].get(), context.id_map.get(), op.recursive) == 0) {
    return kOk;
  }
  return explain_idmap_failure(context, op, errno);
}

}  // namespace tsrunc::engine
