// Writes plans in the wire's format (src/plan/wire.ts), also ones that the encoder would never write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/plan.h"

namespace tsrunc::tests {

class PlanWriter {
 public:
  void u32(uint32_t value) { raw(&value, sizeof value); }
  void u64(uint64_t value) { raw(&value, sizeof value); }
  void raw(const void* data, size_t size) {
    const auto* from = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), from, from + size);
  }
  void str(const std::string& text) {
    u32(static_cast<uint32_t>(text.size()));
    raw(text.c_str(), text.size() + 1);
  }
  void strs(const std::vector<std::string>& list) {
    u32(static_cast<uint32_t>(list.size()));
    for (const std::string& item : list) {
      str(item);
    }
  }
  // Header and launch fields of a container `id` in `state_dir`.
  void begin(const std::string& id, const std::string& state_dir, const std::vector<std::string>& cgroups) {
    u32(wire::kPlanMagic);
    u32(wire::kPlanVersion);
    u32(0);
    str(id);
    str(state_dir);
    str("/bundle");
    str("\"1.3.0\"");
    str("\"" + id + "\"");
    str("\"/bundle\"");
    str("\"/bundle/rootfs\"");
    str("{\n    \"a\": \"b\"\n  }");
    u32(15);  // stop_signal
    str("");  // frozen_file
    str("");  // frozen_text
    strs(cgroups);
    u32(1);  // has_process
    u32(1);  // own_pid_namespace
    u32(0);  // terminal
    u32(1);  // own_keyring
    u32(0);  // preserve_fds
    u32(2);  // config
    raw("{}", 2);
    u32(1);   // action
    u32(0);   // detach
    u32(0);   // keep
    u32(1);   // subreaper
    str("");  // log
    u32(0);   // log_json
    u32(0);   // debug
    str("");  // monitor
    str("");  // monitor_stdin
    str("");  // monitor_stdout
    str("");  // monitor_stderr
    u32(0);   // monitor_interactive
    u32(0);   // log_driver
    str("");  // log_path
    u64(0);   // log_size_max
    u32(1);   // log_files_max
  }
  // An operation whose fields are written by `fields`.
  template <typename F>
  void op(wire::OpKind kind, F fields) {
    u32(static_cast<uint32_t>(kind));
    const size_t length_at = bytes.size();
    u32(0);
    str("/pointer");
    str("what is done");
    fields();
    patch(length_at, static_cast<uint32_t>(bytes.size() - length_at - 4));
  }
  void end() { patch(8, static_cast<uint32_t>(bytes.size())); }
  void patch(size_t at, uint32_t value) { std::memcpy(bytes.data() + at, &value, sizeof value); }

  std::vector<uint8_t> bytes;
};

// A plan that was decoded, with the memory it points into.
class DecodedPlan {
 public:
  explicit DecodedPlan(std::vector<uint8_t> bytes)
      : bytes_(std::move(bytes)), memory_(wire::arena_size(bytes_.size()) / 8 + 1) {
    wire::Arena arena(memory_.data(), wire::arena_size(bytes_.size()));
    ok = wire::decode_plan(bytes_.data(), bytes_.size(), arena, plan);
  }
  bool ok = false;
  wire::Plan plan;

 private:
  std::vector<uint8_t> bytes_;
  std::vector<uint64_t> memory_;  // aligned
};

// Two operations and one makeCgroup for each of `cgroups` in the first list, none in the others.
[[nodiscard]] inline std::vector<uint8_t> small_plan(const std::string& id, const std::string& state_dir,
                                                     const std::vector<std::string>& cgroups = {}) {
  PlanWriter writer;
  writer.begin(id, state_dir, cgroups);
  writer.u32(2 + static_cast<uint32_t>(cgroups.size()));
  writer.op(wire::OpKind::kWriteCgroupFile, [&] {
    writer.str("/sys/fs/cgroup/x/memory.max");
    writer.str("4096");
    writer.u32(0);
  });
  writer.op(wire::OpKind::kKillCgroups, [&] { writer.strs({"/sys/fs/cgroup/x", "/sys/fs/cgroup/y"}); });
  for (const std::string& path : cgroups) {
    writer.op(wire::OpKind::kMakeCgroup, [&] {
      writer.str("/");
      writer.str(path);
      writer.u32(0);
      writer.u32(1);
    });
  }
  for (int list = 1; list < static_cast<int>(wire::kListCount); ++list) {
    writer.u32(0);
  }
  writer.end();
  return writer.bytes;
}

}  // namespace tsrunc::tests
