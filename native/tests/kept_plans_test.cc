#include "launcher/kept_plans.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "launcher/kept_facts.h"
#include "launcher/planner_wire.h"
#include "launcher/repeated_plan.h"
#include "sys/small_file.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using launcher::KeptPlans;
using launcher::kSections;
using launcher::RequestHeader;

// A directory of all containers, gone with the test.
class Root {
 public:
  Root() { ok_ = ::mkdtemp(path_) != nullptr; }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  ~Root() {
    for (const char* name : {"kept", "seen", "new"}) {
      (void)::unlink(file(name).c_str());
    }
    (void)::rmdir((std::string(path_) + "/~plans").c_str());
    (void)::rmdir(path_);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const char* path() const { return path_; }
  [[nodiscard]] std::string file(const char* name) const { return std::string(path_) + "/~plans/" + name; }

 private:
  char path_[64] = "/dev/shm/tsrunc-kept-XXXXXX";
  bool ok_ = false;
};

[[nodiscard]] std::string request(const std::string& id, const std::string& config) {
  RequestHeader header{};
  std::memcpy(header.magic, launcher::kPlannerMagic, sizeof header.magic);
  std::string argv = "run ";
  argv += id;
  argv += ' ';
  for (char& one : argv) {
    one = one == ' ' ? '\0' : one;
  }
  const std::array<std::string, kSections> sections = {argv, "/", "A=1", "pid 1", "/b", config, "", "", ""};
  std::string body;
  for (size_t i = 0; i < kSections; ++i) {
    header.sizes[i] = static_cast<uint32_t>(sections[i].size());
    body += sections[i];
  }
  std::string out(sizeof header, 0);
  std::memcpy(out.data(), &header, sizeof header);
  return out + body;
}

// An entry whose reply is "ID ID.".
[[nodiscard]] std::string entry(const std::string& id, const std::string& config) {
  const launcher::RepeatedWord word{1, 0, 0, 1};
  const uint32_t place = 3;
  const std::string reply = "ID " + id + ".";
  const std::string message = request(id, config);
  sys::Array<char> out;
  launcher::add_entry(out, {&word, 1, &place, 1, {}, message, reply});
  return {out.data(), out.size()};
}

[[nodiscard]] std::string found(const char* root, const std::string& message) {
  KeptPlans plans;
  sys::Array<char> reply;
  return plans.open(root) && plans.find(message, reply) ? std::string(reply.data(), reply.size()) : "";
}

void keep(const KeptPlans& plans, const std::string& entry) {
  plans.keep(entry, {plans.facts().data(), plans.facts().size()});
}

[[nodiscard]] bool is_possible() {
  sys::Array<char> facts;
  return launcher::add_kept_facts(facts);
}

}  // namespace

TEST(kept_plans_are_found_by_later_calls) {
  const Root root;
  if (!is_possible()) {
    return;  // not in the host's own namespaces
  }
  CHECK(root.ok());
  {
    KeptPlans plans;
    CHECK(plans.open(root.path()));
    keep(plans, entry("a1", "{}"));
    keep(plans, entry("a1", "{ }"));
  }
  CHECK(found(root.path(), request("b2", "{}")) == "ID b2.");
  CHECK(found(root.path(), request("b2", "{ }")) == "ID b2.");
  CHECK(found(root.path(), request("b2", "{1}")).empty());
  CHECK(found(root.path(), request("b-2", "{}")).empty());
  CHECK(found(root.path(), "").empty());
}

TEST(kept_plans_of_other_facts_are_not_kept) {
  const Root root;
  if (!is_possible()) {
    return;
  }
  KeptPlans plans;
  CHECK(plans.open(root.path()));
  plans.keep(entry("a1", "{}"), "other");
  CHECK(found(root.path(), request("b2", "{}")).empty());
}

TEST(kept_plans_are_worth_keeping_the_second_time) {
  const Root root;
  if (!is_possible()) {
    return;
  }
  KeptPlans plans;
  CHECK(plans.open(root.path()));
  CHECK(!plans.note(request("a1", "{}")));
  CHECK(!plans.note(request("a1", "{ }")));
  CHECK(plans.note(request("b22", "{}")));
  CHECK(!plans.note(request("a1", "{}")));
  CHECK(plans.note(request("a1", "{ }")));
  CHECK(plans.note(request("a1", "{}")));  // the fourth time
}

// Every byte of the file, and every length.
TEST(kept_plans_of_damaged_files_are_none) {
  const Root root;
  if (!is_possible()) {
    return;
  }
  KeptPlans plans;
  CHECK(plans.open(root.path()));
  keep(plans, entry("a1", "{}"));
  sys::Array<char> whole;
  CHECK(!sys::read_whole(-100, root.file("kept").c_str(), whole));
  const std::string file = root.file("kept");
  const auto write = [&](const char* data, size_t size) {
    std::FILE* out = std::fopen(file.c_str(), "we");
    CHECK(out != nullptr && std::fwrite(data, 1, size, out) == size);
    CHECK(std::fclose(out) == 0 && ::chmod(file.c_str(), 0600) == 0);
  };
  for (size_t size = 0; size < whole.size(); ++size) {
    write(whole.data(), size);
    CHECK(found(root.path(), request("b2", "{}")).empty());
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int bits : {1, 0x40, 0xff}) {
      whole[at] = static_cast<char>(whole[at] ^ bits);
      write(whole.data(), whole.size());
      CHECK(found(root.path(), request("b2", "{}")).empty());
      whole[at] = static_cast<char>(whole[at] ^ bits);
    }
  }
  write(whole.data(), whole.size());
  CHECK(found(root.path(), request("b2", "{}")) == "ID b2.");
}

}  // namespace tsrunc::tests
