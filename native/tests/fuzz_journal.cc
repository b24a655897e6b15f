// libFuzzer harness for what is read of a state directory, the files `journal` and `state`: random bytes;
// what was written, which must be read as the same; and what was written with one byte changed, which must be
// noticed.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/journal.h"
#include "engine/saved_state.h"

namespace {

using namespace tsrunc;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void change(std::string& text, uint8_t where, uint8_t bits) {
  char& byte = text[where * text.size() / 256];
  byte = static_cast<char>(static_cast<uint8_t>(byte) ^ bits);
}

using Lines = std::vector<std::pair<std::string, std::string>>;

// Kinds are words of the engine; paths are any bytes but NUL.
Lines lines_of(const std::string& text) {
  static const char* const kKinds[] = {"cgroup", "device", "net", "x"};
  Lines out;
  for (size_t begin = 0; begin < text.size(); begin = text.find('\0', begin) + 1) {
    const std::string path = text.c_str() + begin;
    out.emplace_back(kKinds[path.size() % 4], path);
    if (text.find('\0', begin) == std::string::npos) {
      break;
    }
  }
  return out;
}

void check_written_journal(const std::string& text, uint8_t where, uint8_t bits) {
  const Lines lines = lines_of(text);
  char buffer[1 << 14];
  sys::Text written(buffer);
  for (const auto& [kind, path] : lines) {
    require(engine::write_journal_line(written, kind.c_str(), path.c_str()));
  }
  engine::Journal journal;
  journal.parse(written.c_str(), written.size(), written.size());
  require(!journal.damage().any && journal.size() == lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    require(lines[i].first == journal[i].kind && lines[i].second == journal[i].path);
    require(journal.has(journal[i].kind, journal[i].path));
  }
  if (bits == 0 || written.size() == 0) {
    return;
  }
  std::string changed(written.c_str(), written.size());
  change(changed, where, bits);
  journal.parse(changed.data(), changed.size(), changed.size());
  require(journal.damage().any && journal.damage().at <= changed.size() && journal.size() < lines.size());
}

void check_any_journal(const std::string& text) {
  engine::Journal journal;
  journal.parse(text.data(), text.size());
  size_t bytes = 0;
  for (size_t i = 0; i < journal.size(); ++i) {
    bytes += std::strlen(journal[i].kind) + std::strlen(journal[i].path);
  }
  require(bytes <= text.size());
}

engine::SavedState state_of(const std::string& text) {
  engine::SavedState state;
  uint64_t numbers[5] = {};
  std::memcpy(numbers, text.data(), std::min(text.size(), sizeof numbers));
  state.init = {static_cast<pid_t>(numbers[0] % INT32_MAX + 1), numbers[1]};
  state.owner = {static_cast<pid_t>(numbers[2] & INT32_MAX), numbers[3]};
  state.journal_size = numbers[4];
  for (size_t i = 0; i + sizeof numbers < text.size() && i + 1 < sizeof state.created; ++i) {
    const char c = text[sizeof numbers + i];
    state.created[i] = c == 0 || c == '\n' ? 'x' : c;
  }
  return state;
}

bool same(const engine::SavedState& one, const engine::SavedState& other) {
  return one.init.pid == other.init.pid && one.init.start_time == other.init.start_time &&
         one.owner.pid == other.owner.pid && one.owner.start_time == other.owner.start_time &&
         one.journal_size == other.journal_size && std::strcmp(one.created, other.created) == 0;
}

void check_written_state(const std::string& text, uint8_t where, uint8_t bits) {
  const engine::SavedState state = state_of(text);
  char buffer[engine::kLargestStateText];
  sys::Text written(buffer);
  engine::write_state_text(written, state);
  require(!written.cut());
  std::string file(written.c_str(), written.size());
  engine::SavedState read;
  size_t at = 0;
  require(engine::read_state_text(file.data(), file.size(), read, at) == engine::Copies::kBoth &&
          same(read, state));
  if (bits == 0) {
    return;
  }
  // A changed byte is told, and the other copy is enough.
  change(file, where, bits);
  read = {};
  require(engine::read_state_text(file.data(), file.size(), read, at) == engine::Copies::kOne &&
          same(read, state) && at <= file.size());
}

void check_any_state(const std::string& text) {
  engine::SavedState state;
  size_t at = 0;
  const engine::Copies copies = engine::read_state_text(text.data(), text.size(), state, at);
  require(at <= text.size() && (copies == engine::Copies::kNone) == (state.init.pid == 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3 || size > 2048) {
    return 0;
  }
  const std::string text(reinterpret_cast<const char*>(data + 3), size - 3);
  switch (data[0] % 4) {
    case 0:
      check_any_journal(text);
      break;
    case 1:
      check_written_journal(text, data[1], data[2]);
      break;
    case 2:
      check_any_state(text);
      break;
    default:
      check_written_state(text, data[1], data[2]);
  }
  return 0;
}
