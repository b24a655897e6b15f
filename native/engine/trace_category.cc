// To which phase an operation belongs, for those who add up a trace.
#include "engine/trace.h"

namespace tsrunc::engine {
namespace {

using wire::OpKind;

struct Row {
  OpKind kind;
  const char* category;
};

constexpr Row kCategories[] = {
    {OpKind::kMakeCgroup, "cgroup"},
    {OpKind::kEnableControllers, "cgroup"},
    {OpKind::kWriteCgroupFile, "cgroup"},
    {OpKind::kAttachDeviceFilter, "cgroup"},
    {OpKind::kReplaceDeviceFilter, "cgroup"},
    {OpKind::kJoinCgroup, "cgroup"},
    {OpKind::kEnterCgroup, "cgroup"},
    {OpKind::kChownCgroup, "cgroup"},
    {OpKind::kCheckCgroupUsage, "cgroup"},
    {OpKind::kSetCgroupLimit, "cgroup"},
    {OpKind::kLowerMemory, "cgroup"},
    {OpKind::kStartUnit, "cgroup"},
    {OpKind::kStopUnit, "cgroup"},
    {OpKind::kSetUnitProperties, "cgroup"},
    {OpKind::kCheckUnit, "cgroup"},
    {OpKind::kKillCgroups, "cgroup"},
    {OpKind::kMakeRdtGroup, "cgroup"},
    {OpKind::kJoinRdtGroup, "cgroup"},
    {OpKind::kWriteRdtSchemata, "cgroup"},
    {OpKind::kUpdateRdtSchemata, "cgroup"},
    {OpKind::kOpenTree, "mounts"},
    {OpKind::kOpenSource, "mounts"},
    {OpKind::kOpenIdMap, "mounts"},
    {OpKind::kMapTree, "mounts"},
    {OpKind::kJournalMounts, "mounts"},
    {OpKind::kPrepareMountTree, "mounts"},
    {OpKind::kOpenRoot, "mounts"},
    {OpKind::kMountFs, "mounts"},
    {OpKind::kMountBind, "mounts"},
    {OpKind::kRemount, "mounts"},
    {OpKind::kMakeDirectory, "mounts"},
    {OpKind::kMakeDevice, "mounts"},
    {OpKind::kBindDevice, "mounts"},
    {OpKind::kMakeSymlink, "mounts"},
    {OpKind::kMaskPath, "mounts"},
    {OpKind::kReadonlyPath, "mounts"},
    {OpKind::kSetReadonly, "mounts"},
    {OpKind::kSetRootPropagation, "mounts"},
    {OpKind::kPivotRoot, "mounts"},
    {OpKind::kMoveRoot, "mounts"},
    {OpKind::kChangeRoot, "mounts"},
    {OpKind::kDumpContainer, "criu"},
    {OpKind::kStartCriu, "criu"},
    {OpKind::kRequestCriu, "criu"},
    {OpKind::kAwaitCriu, "criu"},
    {OpKind::kCheckLabel, "criu"},
    {OpKind::kCloneInit, "namespaces"},
    {OpKind::kCloneExec, "namespaces"},
    {OpKind::kWriteIdMaps, "namespaces"},
    {OpKind::kCheckIdMaps, "namespaces"},
    {OpKind::kBecomeRoot, "namespaces"},
    {OpKind::kUnshareCgroup, "namespaces"},
    {OpKind::kEnterNamespaces, "namespaces"},
    {OpKind::kBecomeMember, "namespaces"},
    {OpKind::kBringUpLoopback, "namespaces"},
    {OpKind::kMoveNetDevice, "namespaces"},
    {OpKind::kRunHook, "hooks"},
    {OpKind::kOpenHookOutput, "hooks"},
    {OpKind::kSetSeccomp, "seccomp"},
    {OpKind::kSetSeccompWithListener, "seccomp"},
    {OpKind::kSendSeccompListener, "seccomp"},
    {OpKind::kFindProgram, "exec"},
    {OpKind::kExec, "exec"},
    {OpKind::kAwaitInit, "wait"},
    {OpKind::kAwaitHost, "wait"},
    {OpKind::kAwaitStart, "wait"},
    {OpKind::kUndoJournal, "undo"},
};

}  // namespace

const char* op_category(wire::OpKind kind) noexcept {
  for (const Row& row : kCategories) {
    if (row.kind == kind) {
      return row.category;
    }
  }
  return "process";
}

}  // namespace tsrunc::engine
