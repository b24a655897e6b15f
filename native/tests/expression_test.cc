// native/launcher/expression.cc beside regcomp(3), which knows the same language.
#include "launcher/expression.h"

#include <regex.h>

#include <string>

#include "sys/characters.h"
#include "sys/scan.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

constexpr const char* kNames[] = {
    "",    "a",    "b",    "ab",     "aa", "aab",    "abc",   "web-1",  "web-12", "db.1",   "db_1",    "A1",
    "a+b", "aaaa", "abab", "ababab", "x",  "web--1", "w.b-1", "podman", "cri-o",  "conmon", "abcabcd", "]"};

// Texts that both know.
constexpr const char* kExpressions[] = {"",
                                        "a",
                                        "^a",
                                        "a$",
                                        "^a$",
                                        "^$",
                                        "a*",
                                        "^a*$",
                                        "a+",
                                        "^a+$",
                                        "^a?$",
                                        "^a{2}$",
                                        "^a{2,}$",
                                        "^a{1,2}$",
                                        "^(ab)+$",
                                        "^(ab){2,3}$",
                                        "a|b",
                                        "^(a|b)$",
                                        "^a|b$",
                                        "^(a|ab)(c|bcd)$",
                                        "[0-9]",
                                        "^[^0-9]+$",
                                        "[[:digit:]]",
                                        "^[[:alpha:]-]+$",
                                        "[]]",
                                        "[^]a]",
                                        "^[a-]+$",
                                        "^[-a]+$",
                                        "\\.",
                                        "^web-[0-9]+$",
                                        "^web.-?1",
                                        "w.b",
                                        "a\\+b",
                                        "^(a*)*$",
                                        "^(a*)+b$",
                                        "^(a|b)*c",
                                        "^((a|b)c?)+$",
                                        "(^a|b$)",
                                        "x|",
                                        "^()$",
                                        "^a{0}b$",
                                        "^(a{2}){2}$",
                                        "[[:upper:]][[:digit:]]",
                                        "^[[:punct:]]$",
                                        "^(a?){3}$",
                                        "(a|(b|(c)))",
                                        "^a**$",
                                        "^(a+)?b",
                                        "b*$",
                                        "^[[:alnum:]_.+-]*$"};

TEST(expressions_as_the_c_library_has_them) {
  for (const char* text : kExpressions) {
    regex_t theirs{};
    CHECK(::regcomp(&theirs, text, REG_EXTENDED | REG_NOSUB) == 0);
    launcher::Expression ours;
    CHECK(ours.compile(text));
    for (const char* name : kNames) {
      const bool same = ours.matches(name) == (::regexec(&theirs, name, 0, nullptr, 0) == 0);
      CHECK_TEXT(same ? "" : (std::string(text) + " and " + name).c_str(), "");
    }
    ::regfree(&theirs);
  }
}

TEST(expressions_that_are_none) {
  for (const char* text : {"(",        ")",       "a)",     "(a",  "[",   "[a",   "[]",  "[b-a]",
                           "[[:no:]]", "[[.a.]]", "*",      "+a",  "a|*", "(?a)", "a{",  "a{x}",
                           "a{1",      "a{2,1}",  "a{256}", "{1}", "\\",  "a\\",  "\\1", "\\w"}) {
    launcher::Expression expression;
    CHECK_TEXT(expression.compile(text) ? text : "", "");
    CHECK(expression.error() != nullptr);
  }
  launcher::Expression large;
  CHECK(!large.compile("((((a{99}){99}){99}){99}){99}"));
  CHECK(!large.compile(std::string(100000, '(').c_str()));
}

TEST(expressions_take_no_time_without_end) {
  launcher::Expression expression;
  CHECK(expression.compile("^(((a*)*)*)*b$"));
  CHECK(!expression.matches(std::string(255, 'a').c_str()));
}

TEST(scan_reads_what_was_written) {
  int one = 0;
  uint64_t other = 0;
  CHECK(sys::Scan("fd -3 18446744073709551615").word("fd ").number(one).word(" ").number(other).complete());
  CHECK(one == -3 && other == UINT64_MAX);
  CHECK(sys::Scan("ff").number(other, 16).complete() && other == 255);
  for (const char* text : {"", "-", "x", "2147483648", "1 ", "1x", " 1", "99999999999999999999"}) {
    CHECK_TEXT(sys::Scan(text).number(one).complete() ? text : "", "");
  }
  CHECK(!sys::Scan("-1").number(other).complete());
  CHECK(!sys::Scan("18446744073709551616").number(other).complete());
}

TEST(letters_in_any_case) {
  CHECK(sys::same_in_any_case("sigKILL", "SIGkill") && !sys::same_in_any_case("kill", "kil"));
  CHECK(sys::begins_in_any_case("rtmin+1", "RTMIN") && !sys::begins_in_any_case("rt", "RTMIN"));
}

}  // namespace
}  // namespace tsrunc::tests
