// To which phase an operation belongs, for those who add up a trace.
#include "engine/trace.h"

namespace tsrunc::engine {

const char* op_category(wire::OpKind kind) noexcept {
  using wire::OpKind;
  switch (kind) {
    case OpKind::kMakeCgroup:
    case OpKind::kEnableControllers:
    case OpKind::kWriteCgroupFile:
    case OpKind::kAttachDeviceFilter:
    case OpKind::kReplaceDeviceFilter:
    case OpKind::kJoinCgroup:
    case OpKind::kEnterCgroup:
    case OpKind::kChownCgroup:
    case OpKind::kCheckCgroupUsage:
    case OpKind::kSetCgroupLimit:
    case OpKind::kLowerMemory:
    case OpKind::kStartUnit:
    case OpKind::kStopUnit:
    case OpKind::kSetUnitProperties:
    case OpKind::kCheckUnit:
    case OpKind::kKillCgroups:
    case OpKind::kMakeRdtGroup:
    case OpKind::kJoinRdtGroup:
    case OpKind::kWriteRdtSchemata:
    case OpKind::kUpdateRdtSchemata:
      return "cgroup";
    case OpKind::kOpenTree:
    case OpKind::kOpenSource:
    case OpKind::kOpenIdMap:
    case OpKind::kMapTree:
    case OpKind::kJournalMounts:
    case OpKind::kPrepareMountTree:
    case OpKind::kOpenRoot:
    case OpKind::kMountFs:
    case OpKind::kMountBind:
    case OpKind::kRemount:
    case OpKind::kMakeDirectory:
    case OpKind::kMakeDevice:
    case OpKind::kBindDevice:
    case OpKind::kMakeSymlink:
    case OpKind::kMaskPath:
    case OpKind::kReadonlyPath:
    case OpKind::kSetReadonly:
    case OpKind::kSetRootPropagation:
    case OpKind::kPivotRoot:
    case OpKind::kMoveRoot:
    case OpKind::kChangeRoot:
      return "mounts";
    case OpKind::kDumpContainer:
    case OpKind::kStartCriu:
    case OpKind::kRequestCriu:
    case OpKind::kAwaitCriu:
    case OpKind::kCheckLabel:
      return "criu";
    case OpKind::kCloneInit:
    case OpKind::kCloneExec:
    case OpKind::kWriteIdMaps:
    case OpKind::kCheckIdMaps:
    case OpKind::kBecomeRoot:
    case OpKind::kUnshareCgroup:
    case OpKind::kEnterNamespaces:
    case OpKind::kBecomeMember:
    case OpKind::kBringUpLoopback:
    case OpKind::kMoveNetDevice:
      return "namespaces";
    case OpKind::kRunHook:
    case OpKind::kOpenHookOutput:
      return "hooks";
    case OpKind::kSetSeccomp:
    case OpKind::kSetSeccompWithListener:
    case OpKind::kSendSeccompListener:
      return "seccomp";
    case OpKind::kFindProgram:
    case OpKind::kExec:
      return "exec";
    case OpKind::kAwaitInit:
    case OpKind::kAwaitHost:
    case OpKind::kAwaitStart:
      return "wait";
    case OpKind::kUndoJournal:
      return "undo";
    default:
      return "process";
  }
}

}  // namespace tsrunc::engine
