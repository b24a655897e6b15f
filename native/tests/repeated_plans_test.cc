#include "addon/repeated_plans.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "launcher/planner_wire.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using addon::RepeatedPlans;
using launcher::kSections;
using launcher::RequestHeader;

// A "|" for each NUL.
[[nodiscard]] std::string words(std::string text) {
  for (char& one : text) {
    one = one == '|' ? '\0' : one;
  }
  return text;
}

[[nodiscard]] std::string request(const std::string& argv, const std::string& record = "pid 1",
                                  const std::string& config = "{}", const std::string& answers = "") {
  RequestHeader header{};
  std::memcpy(header.magic, launcher::kPlannerMagic, sizeof header.magic);
  const std::array<std::string, kSections> sections = {words(argv),    "/", "A=1", record, "/b", config,
                                                       words(answers), "",  ""};
  std::string body;
  for (size_t i = 0; i < kSections; ++i) {
    header.sizes[i] = static_cast<uint32_t>(sections[i].size());
    body += sections[i];
  }
  std::string out(sizeof header, 0);
  std::memcpy(out.data(), &header, sizeof header);
  return out + body;
}

[[nodiscard]] RepeatedPlans::Plan plan_of(const std::string& argv, size_t place) {
  RepeatedPlans::Plan plan;
  plan.message = request(argv);
  plan.words.push_back({1, false, {place}});
  plan.reply = "ID a1.";
  return plan;
}

[[nodiscard]] std::string found(RepeatedPlans& plans, const std::string& message) {
  return std::string(plans.find(message, ::getpid()));
}

}  // namespace

TEST(repeated_plans_have_the_words_of_who_asks) {
  RepeatedPlans plans;
  plans.keep(plan_of("run|a1|", 3), plans.facts());
  CHECK_TEXT(found(plans, request("run|b2|", "pid 77 and more")).c_str(), "ID b2.");
  CHECK_TEXT(found(plans, request("run|a1|")).c_str(), "ID a1.");
  // "-" where the other has a letter: what is made of it may be longer.
  for (const char* other : {"run|b-|", "run|b_|", "run|b|", "run|b22|", "run|b2", "run|b2|c|", "run|", "",
                            "create|b2|", "run|-2|", "run|b/|", "run|..|"}) {
    CHECK_TEXT(found(plans, request(other)).c_str(), "");
  }
  CHECK_TEXT(found(plans, request("run|b2|", "pid 1", "[]")).c_str(), "");
  CHECK_TEXT(found(plans, "").c_str(), "");
  CHECK_TEXT(found(plans, request("run|b2|").substr(0, sizeof(RequestHeader))).c_str(), "");
  plans.forget();
  CHECK_TEXT(found(plans, request("run|b2|")).c_str(), "");
}

TEST(repeated_plans_that_do_not_fit_are_not_kept) {
  RepeatedPlans plans;
  plans.keep(plan_of("run|a1|", 3), plans.facts() + 1);
  plans.keep(plan_of("run|a1|", 4), plans.facts());
  plans.keep(plan_of("run|a1|", 5), plans.facts());
  plans.keep(plan_of("run|a1|", 99), plans.facts());
  plans.keep(plan_of("run|", 3), plans.facts());
  RepeatedPlans::Plan none = plan_of("run|a1|", 3);
  none.message.resize(4);
  plans.keep(none, plans.facts());
  CHECK_TEXT(found(plans, request("run|a1|")).c_str(), "");
  CHECK_TEXT(found(plans, request("run|")).c_str(), "");
}

TEST(repeated_plans_are_of_namespaces_that_are_not_the_callers_own) {
  struct stat own {};
  CHECK(::stat("/proc/self/ns/uts", &own) == 0);
  const std::string identity = std::to_string(own.st_dev) + ":" + std::to_string(own.st_ino);
  const auto answered = [](const std::string& answers) { return request("run|b2|", "pid 1", "{}", answers); };
  RepeatedPlans plans;
  RepeatedPlans::Plan plan = plan_of("run|a1|", 3);
  plan.message = request("run|a1|", "pid 1", "{}", "d/b|/b|n/net|4:1|n/ipc|4:2|n/gone||");
  plans.keep(plan, plans.facts());
  for (const char* answers :
       {"d/b|/b|n/net|4:1|n/ipc|4:2|n/gone||", "d/b|/b|n/net|4:7|n/ipc|5:123|n/gone||"}) {
    CHECK_TEXT(found(plans, answered(answers)).c_str(), "ID b2.");
  }
  for (const std::string& answers :
       {std::string(), std::string("d/b|/c|n/net|4:1|n/ipc|4:2|n/gone||"),
        std::string("d/b|/b|n/net||n/ipc|4:2|n/gone||"),
        std::string("d/b|/b|n/net|4:1|n/ipc|4:2|n/gone|4:3|"),
        std::string("d/b|/b|n/net|4:1|n/uts|4:2|n/gone||"), std::string("d/b|/b|n/net|4:1|n/ipc|4:2|n/gone|"),
        std::string("d/b|/b|n/net|4:1|n/ipc|4:2|n/gone||n/more|4:4|"), std::string("d/b|/b|n/net|4:1"),
        "d/b|/b|n/net|4:1|n/ipc|" + identity + "|n/gone||"}) {
    CHECK_TEXT(found(plans, answered(answers)).c_str(), "");
  }
}

TEST(repeated_plans_are_few) {
  constexpr int kMany = 40;
  RepeatedPlans plans;
  for (int i = 10; i < 10 + kMany; ++i) {
    plans.keep(plan_of("run|a1|--n|" + std::to_string(i) + "|", 3), plans.facts());
    CHECK_TEXT(found(plans, request("run|b2|--n|10|")).c_str(), "ID b2.");
  }
  CHECK_TEXT(found(plans, request("run|b2|--n|11|")).c_str(), "");
}

}  // namespace tsrunc::tests
