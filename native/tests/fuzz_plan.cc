// libFuzzer harness for decode_plan: whatever the bytes are, it ends, reads nothing beyond them and takes
// memory from the arena alone. A plan that decodes is walked to its last string, so that every pointer in it
// is proved.
//
// The corpus: `native/tests/build corpus DIRECTORY` writes the plan files of the state directories beneath
// /run/tsrunc (or $TSRUNC_ROOT) into DIRECTORY: run `tsrunc create` on the bundles of interest first. The
// file `plan` of a state directory is exactly what the decoder reads.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "wire/plan.h"

namespace {

using namespace tsrunc;

volatile uint64_t sum = 0;

void walk(const wire::Str& text) {
  if (std::strlen(text.data) != text.size) {
    std::abort();
  }
}

void walk(const wire::StrList& list) {
  for (uint32_t i = 0; i < list.count; ++i) {
    sum = sum + std::strlen(list.items[i]);
  }
  if (list.items != nullptr && list.items[list.count] != nullptr) {
    std::abort();
  }
}

void walk(const wire::Bytes& bytes) {
  for (uint32_t i = 0; i < bytes.size; ++i) {
    sum = sum + bytes.data[i];
  }
}

void walk(const wire::Op& op) {
  walk(op.pointer);
  walk(op.what);
  if (op.kind == wire::OpKind::kExec) {
    walk(op.as<wire::Exec>().args);
    walk(op.as<wire::Exec>().env);
  } else if (op.kind == wire::OpKind::kSetSeccomp) {
    walk(op.as<wire::SetSeccomp>().program);
  } else if (op.kind == wire::OpKind::kMountFs) {
    walk(op.as<wire::MountFs>().options);
    walk(op.as<wire::MountFs>().legacy_data);
  } else if (op.kind == wire::OpKind::kRunHook) {
    walk(op.as<wire::RunHook>().env);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const size_t room = wire::arena_size(size);
  void* memory = std::calloc(1, room);
  if (memory == nullptr) {
    std::abort();
  }
  wire::Arena arena(memory, room);
  wire::Plan plan;
  if (wire::decode_plan(data, size, arena, plan)) {
    walk(plan.header.id);
    walk(plan.header.cgroup_paths);
    walk(plan.header.config);
    for (const wire::OpList& list : plan.lists) {
      for (uint32_t i = 0; i < list.count; ++i) {
        walk(list.items[i]);
      }
    }
  }
  std::free(memory);
  return 0;
}
