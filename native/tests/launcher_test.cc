// native/launcher: what it reads and what it writes.
#include <signal.h>

#include <string>

#include "engine/failure_text.h"
#include "launcher/arguments.h"
#include "launcher/duration.h"
#include "launcher/json_text.h"
#include "launcher/log.h"
#include "launcher/signals.h"
#include "launcher/user_name.h"
#include "tests/plan_writer.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using launcher::Arguments;
using launcher::parse_signal;
using launcher::Verb;

[[nodiscard]] std::string json(const char* text) {
  sys::Array<char> out;
  launcher::add_json_string(out, text);
  return {out.data(), out.size()};
}

TEST(json_escapes) {
  CHECK_TEXT(json("plain").c_str(), "\"plain\"");
  CHECK_TEXT(json("a\"b\\c\n\t\x01\x7f").c_str(), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"");
  CHECK_TEXT(json("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80").c_str(),
             "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

TEST(json_replaces_what_is_not_utf8) {
  CHECK_TEXT(json("a\xff").c_str(), "\"a\\ufffd\"");
  CHECK_TEXT(json("\xc3").c_str(), "\"\\ufffd\"");                        // cut off
  CHECK_TEXT(json("\xc0\xaf").c_str(), "\"\\ufffd\\ufffd\"");             // overlong
  CHECK_TEXT(json("\xed\xa0\x80").c_str(), "\"\\ufffd\\ufffd\\ufffd\"");  // a surrogate
  CHECK_TEXT(json("\xf4\x90\x80\x80z").c_str(), "\"\\ufffd\\ufffd\\ufffd\\ufffdz\"");
  CHECK_TEXT(json("\xe2\x82").c_str(), "\"\\ufffd\\ufffd\"");
}

TEST(json_is_made_compact_outside_of_strings) {
  sys::Array<char> out;
  launcher::add_compact_json(out, "{\n  \"a b\": \"c \\\" d\",\n  \"e\": 1\n}\n");
  out.push(0);
  CHECK_TEXT(out.data(), "{\"a b\":\"c \\\" d\",\"e\":1}");
}

TEST(log_lines) {
  sys::Array<char> line;
  launcher::add_log_line(line, true, launcher::Level::kError, "say \"no\"", 1735689599);
  line.push(0);
  CHECK_TEXT(line.data(),
             "{\"level\":\"error\",\"msg\":\"say \\\"no\\\"\",\"time\":\"2024-12-31T23:59:59Z\"}\n");
  line.clear();
  launcher::add_log_line(line, false, launcher::Level::kWarning, "a b", 951782400);
  line.push(0);
  CHECK_TEXT(line.data(), "time=\"2000-02-29T00:00:00Z\" level=warning msg=\"a b\"\n");
}

TEST(signals) {
  CHECK(parse_signal("TERM") == SIGTERM && parse_signal("SIGTERM") == SIGTERM &&
        parse_signal("sigterm") == SIGTERM);
  CHECK(parse_signal("9") == SIGKILL && parse_signal("0") == 0 && parse_signal("64") == 64);
  CHECK(parse_signal("RTMIN") == 34 && parse_signal("RTMIN+3") == 37 && parse_signal("sigrtmax-1") == 63);
  CHECK(parse_signal("RTMAX") == 64 && parse_signal("RTMIN+30") == 64);
  for (const char* wrong : {"", "SIG", "-1", "65", "99999999999", "TERMX", "RTMIN+31", "RTMIN-1", "RTMAX+1",
                            "RTMIN+", "9x", " 9", "SIGSIGTERM", "+9"}) {
    CHECK(parse_signal(wrong) == -1);
  }
}

[[nodiscard]] bool parse(std::vector<const char*> words, Arguments& out) {
  words.insert(words.begin(), "tsrunc");
  return launcher::parse_arguments(static_cast<int>(words.size()), words.data(), out);
}

TEST(arguments_of_engines) {
  Arguments shim;
  CHECK(parse({"--root", "/r", "--log", "/l", "--log-format", "json", "kill", "--all", "id", "9"}, shim));
  CHECK(shim.verb == Verb::kKill && shim.all && shim.log.json && same(shim.root, "/r") &&
        same(shim.log.file, "/l"));
  CHECK(same(shim.positionals[0], "id") && same(shim.positionals[1], "9"));
  Arguments podman;
  CHECK(parse({"--log-format=json", "--root=/r", "delete", "--force", "id"}, podman));
  CHECK(podman.verb == Verb::kDelete && podman.force && same(podman.root, "/r"));
  Arguments later;
  CHECK(parse({"list", "-f", "json", "-q", "--debug", "--systemd-cgroup", "--rootless", "auto"}, later));
  Arguments ps;
  CHECK(parse({"ps", "--format", "json", "id"}, ps) && ps.json && ps.rest_count == 0);
  Arguments columns;
  CHECK(parse({"ps", "id", "-o", "pid,args", "--format"}, columns) && !columns.json &&
        columns.rest_count == 3 && same(columns.rest[0], "-o") && same(columns.rest[2], "--format"));
  Arguments version;
  CHECK(parse({"version"}, version) && version.verb == Verb::kVersion);
  for (const std::vector<const char*>& call : std::vector<std::vector<const char*>>{
           {"--version"}, {"-v"}, {"--root", "/r", "--version"}, {"state", "--version"}, {"version", "-v"}}) {
    Arguments asked;
    CHECK(parse(call, asked) && asked.version);
  }
  Arguments dash;
  CHECK(parse({"state", "--", "-x"}, dash) && same(dash.positionals[0], "-x"));
  Arguments events;
  CHECK(parse({"events", "--interval=1m30s", "id"}, events) && !events.stats && events.interval_ms == 90000);
  CHECK(later.json && later.quiet && later.log.level == launcher::Level::kDebug);
}

TEST(arguments_of_all_verbs) {
  Arguments traced;
  CHECK(parse({"--trace", "/t", "state", "id"}, traced) && same(traced.trace, "/t"));
  Arguments behind;
  CHECK(parse({"kill", "--trace=/u", "id"}, behind) && same(behind.trace, "/u"));
}

TEST(arguments_for_node) {
  const std::vector<std::vector<const char*>> calls = {{},
                                                       {"run", "x"},
                                                       {"state"},
                                                       {"state", "a", "b"},
                                                       {"state", "--help"},
                                                       {"state", "--"},
                                                       {"kill", "-9", "a"},
                                                       {"delete", "-ff", "a"},
                                                       {"version", "a"},
                                                       {"--version=false", "list"},
                                                       {"list", "-f", "yaml"},
                                                       {"list", "--format"},
                                                       {"events", "--interval", "5", "a"},
                                                       {"state", "-f", "a"},
                                                       {"--root"},
                                                       {"--root=", "state", "a"},
                                                       {"--rootless", "maybe", "state", "a"},
                                                       {"--log-format", "xml", "list"},
                                                       {"--debug=true", "list"},
                                                       {"--rootx", "a", "list"},
                                                       {"--", "state", "a"},
                                                       {"kill", "a", "b", "c"}};
  for (const auto& call : calls) {
    Arguments out;
    CHECK(!parse(call, out));
  }
}

TEST(durations) {
  struct Row {
    const char* text;
    int64_t milliseconds;
  };
  for (const Row& row : {Row{"5s", 5000}, Row{"1m30s", 90000}, Row{"1.5h", 5400000}, Row{"100ms", 100},
                         Row{".5s", 500}, Row{"1us", 1}, Row{"+2m", 120000}, Row{"1.25s", 1250},
                         Row{"1.s", 1000}, Row{"876000h", 3153600000000}}) {
    int64_t milliseconds = 0;
    CHECK(launcher::parse_duration(row.text, milliseconds) && milliseconds == row.milliseconds);
  }
  for (const char* wrong : {"", "5", "s", "0s", "-1s", "1x", "1.2.3s", ".s", "5 s", "99999999999h", "+",
                            "99999999999999999999999h", "1h99999999999h", "0.0s", "0.1ns"}) {
    int64_t milliseconds = 0;
    CHECK(!launcher::parse_duration(wrong, milliseconds));
  }
}

TEST(failures_as_sentences) {
  const DecodedPlan decoded(small_plan("a", "/run/tsrunc/a"));
  engine::FailureRecord record;
  engine::record(record, wire::List::kCreate, 0, sys::fail(ENOENT, "open", "/a/b", nullptr));
  char buffer[1024];
  {
    sys::Text text(buffer);
    engine::add_record(text, decoded.plan, record);
  }
  CHECK_TEXT(buffer, "what is done: open /a/b: no such file or directory (ENOENT) (config.json /pointer)");
  engine::record(record, wire::List::kCreate, engine::kNoOp,
                 sys::fail(EBUSY, "rmdir", "/a/b", "/a/b is in use"));
  {
    sys::Text text(buffer);
    engine::add_record(text, decoded.plan, record);
  }
  CHECK_TEXT(buffer, "/a/b is in use (EBUSY)");
}

TEST(user_names) {
  sys::Array<char> out;
  launcher::add_user_name(out, 0);
  out.push(0);
  CHECK_TEXT(out.data(), "root");
  out.clear();
  launcher::add_user_name(out, 3999999999U);
  out.push(0);
  CHECK_TEXT(out.data(), "#3999999999");
}

}  // namespace
}  // namespace tsrunc::tests
