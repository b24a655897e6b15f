// native/wire: whatever the bytes are, nothing beyond them is read (CVE-2021-43784).
#include "tests/plan_writer.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

[[nodiscard]] bool decodes(std::vector<uint8_t> bytes) {
  return DecodedPlan(std::move(bytes)).ok;
}

TEST(decoder_reads_a_plan) {
  const DecodedPlan decoded(small_plan("a", "/run/tsrunc/a"));
  CHECK(decoded.ok);
  CHECK_TEXT(decoded.plan.header.id.data, "a");
  CHECK(decoded.plan.header.stop_signal == 15 && decoded.plan.header.config.size == 2);
  const wire::OpList& create = decoded.plan.list(wire::List::kCreate);
  CHECK(create.count == 2);
  CHECK_TEXT(create.items[0].what.data, "what is done");
  CHECK_TEXT(create.items[0].as<wire::WriteCgroupFile>().value.data, "4096");
  const auto& kill = create.items[1].as<wire::KillCgroups>();
  CHECK(kill.paths.count == 2 && kill.paths.items[2] == nullptr);
}

TEST(decoder_refuses_each_shorter_plan) {
  const std::vector<uint8_t> whole = small_plan("a", "/run/tsrunc/a");
  for (size_t size = 0; size < whole.size(); ++size) {
    std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<long>(size));
    CHECK(!decodes(cut));
    if (size >= 12) {
      const auto length = static_cast<uint32_t>(size);
      std::memcpy(cut.data() + 8, &length, sizeof length);
      CHECK(!decodes(cut));
    }
  }
}

TEST(decoder_survives_every_wrong_number) {
  const std::vector<uint8_t> whole = small_plan("a", "/run/tsrunc/a");
  for (const uint32_t wrong : {0xffffffffU, 0x80000000U, 0x7fffffffU, 0x10000U, 1000U}) {
    for (size_t at = 0; at + 4 <= whole.size(); ++at) {
      std::vector<uint8_t> bytes = whole;
      std::memcpy(bytes.data() + at, &wrong, sizeof wrong);
      (void)decodes(bytes);
    }
  }
}

TEST(decoder_refuses_what_is_not_one_plan) {
  std::vector<uint8_t> longer = small_plan("a", "/run/tsrunc/a");
  longer.push_back(0);
  CHECK(!decodes(longer));
  const auto length = static_cast<uint32_t>(longer.size());
  std::memcpy(longer.data() + 8, &length, sizeof length);
  CHECK(!decodes(longer));
  for (const size_t word : {size_t{0}, size_t{4}}) {
    std::vector<uint8_t> other = small_plan("a", "/run/tsrunc/a");
    ++other[word];
    CHECK(!decodes(other));
  }
}

TEST(decoder_refuses_a_string_with_a_nul) {
  std::vector<uint8_t> bytes = small_plan("abc", "/run/tsrunc/abc");
  bytes[17] = 0;  // inside "abc"
  CHECK(!decodes(bytes));
}

TEST(decoder_refuses_an_unknown_operation) {
  PlanWriter writer;
  writer.begin("a", "/run/tsrunc/a", {});
  writer.u32(1);
  writer.op(static_cast<wire::OpKind>(9999), [] {});
  for (int i = 0; i < 4; ++i) {
    writer.u32(0);
  }
  writer.end();
  CHECK(!decodes(writer.bytes));
}

}  // namespace
}  // namespace tsrunc::tests
