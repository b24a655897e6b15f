// libFuzzer harness for the words of the command line and of the journal that the engine reads: signals
// against the C library's table, durations against a plain reading, expressions for their end, records of
// network devices against what is written of them. The first byte says which.
#include <signal.h>
#include <string.h>
#include <strings.h>

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/host/net_record.h"
#include "launcher/duration.h"
#include "launcher/expression.h"
#include "launcher/signals.h"

namespace {

using namespace tsrunc;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// signal(7): names of sigabbrev_np(3), and those that are second names.
int read_signal(const std::string& text) {
  if (is_number(text)) {
    const std::string digits = text.substr(std::min(text.find_first_not_of('0'), text.size()));
    const int value = digits.size() > 2 ? 99 : std::atoi(text.c_str());
    return value <= 64 ? value : -1;
  }
  std::string name;
  for (const char c : text) {
    name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  name = name.rfind("SIG", 0) == 0 ? name.substr(3) : name;
  for (int number = 1; number < 32; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) {
      return number;
    }
  }
  if (name == "IOT" || name == "CLD" || name == "IO") {
    return name == "IOT" ? SIGABRT : name == "CLD" ? SIGCHLD : SIGIO;
  }
  const bool least = name.rfind("RTMIN", 0) == 0;
  if (!least && name.rfind("RTMAX", 0) != 0) {
    return -1;
  }
  const std::string rest = name.substr(5);
  if (rest.empty()) {
    return least ? 34 : 64;
  }
  const std::string digits = rest.substr(1);
  if (rest[0] != (least ? '+' : '-') || !is_number(digits)) {
    return -1;
  }
  const size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  const int offset = digits.size() - first > 2 ? 99 : std::atoi(digits.c_str());
  return offset > 30 ? -1 : least ? 34 + offset : 64 - offset;
}

void check_duration(const std::string& text) {
  int64_t milliseconds = 0;
  if (!launcher::parse_duration(text.c_str(), milliseconds)) {
    return;
  }
  require(milliseconds >= 1);
  // Whatever is one has digits and a unit, and twice the text is twice the time, but for less than a
  // millisecond.
  require(text.find_first_of("0123456789") != std::string::npos &&
          std::isalpha(static_cast<unsigned char>(text.back())) != 0);
  const std::string more = text + (text[0] == '+' ? text.substr(1) : text);
  int64_t twice = 0;
  if (launcher::parse_duration(more.c_str(), twice)) {
    require(milliseconds == 1 ? twice <= 3 : twice >= 2 * milliseconds && twice <= 2 * milliseconds + 1);
  }
}

void check_record(const std::string& text) {
  engine::NetRecords records;
  if (!records.push_text(text.c_str())) {
    require(records.size() == 0);
    return;
  }
  require(records.size() == 1);
  std::string written;
  for (size_t i = 0; i < records[0].size; ++i) {
    const auto byte = static_cast<unsigned char>(records[0].data[i]);
    written += "0123456789abcdef"[byte >> 4];
    written += "0123456789abcdef"[byte & 15];
  }
  require(::strcasecmp(written.c_str(), text.c_str()) == 0);
}

void check_expression(const std::string& text) {
  const size_t middle = text.find('\0');
  const std::string name = middle == std::string::npos ? "" : text.substr(middle + 1);
  launcher::Expression expression;
  if (!expression.compile(text.c_str())) {
    require(expression.error() != nullptr && *expression.error() != 0);
    return;
  }
  (void)expression.matches(name.c_str());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 512) {
    return 0;
  }
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string word = text.c_str();
  switch (data[0] % 4) {
    case 0:
      require(launcher::parse_signal(word.c_str()) == read_signal(word));
      break;
    case 1:
      if (!word.empty()) {
        check_duration(word);
      }
      break;
    case 2:
      check_record(word);
      break;
    default:
      check_expression(text);
  }
  return 0;
}
