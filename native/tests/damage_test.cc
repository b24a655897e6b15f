// native/engine: what is saved of a container, each byte of it damaged.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "engine/engine.h"
#include "engine/journal.h"
#include "engine/saved_state.h"
#include "sys/crc32c.h"
#include "sys/small_file.h"
#include "tests/plan_writer.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using engine::Copies;
using engine::Journal;
using engine::SavedState;
using engine::StateDir;

// A container that has been created.
class Saved {
 public:
  Saved() {
    CHECK(!dir.make(decoded_.plan));
    CHECK(!dir.journal("cgroup", "/sys/fs/cgroup/c1"));
    CHECK(!dir.journal("hooks", ""));
    CHECK(!dir.journal("cgroup", "/sys/fs/cgroup/c1/inner"));
    SavedState state;
    state.init = {4711, 0xfedcba9876543210U};
    std::strcpy(state.created, "2024-12-31T23:59:59.123456789Z");
    state.owner = {4712, 17};
    CHECK(!dir.draft_state(state) && !dir.publish_draft());
  }

  [[nodiscard]] std::string read(const char* name) const {
    sys::Array<char> bytes;
    CHECK(!sys::read_whole(dir.fd(), name, bytes));
    return {bytes.data(), bytes.size()};
  }

  void write(const char* name, const std::string& bytes) const {
    const sys::UniqueFd fd(::openat(dir.fd(), name, O_WRONLY | O_TRUNC));
    CHECK(fd.valid() && !sys::write_all(fd.get(), bytes.data(), bytes.size(), nullptr));
  }

  // Calls `look` with each content that one flipped bit, or an end that is too early, makes of the file.
  template <typename Look>
  void damage(const char* name, Look look) const {
    const std::string whole = read(name);
    CHECK(!whole.empty());
    for (size_t at = 0; at < whole.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        write(name, flipped);
        look(at, false);
      }
      write(name, whole.substr(0, at));
      look(at, true);
    }
    write(name, whole);
  }

  StateDir dir;

 private:
  const TemporaryDirectory top_;
  const std::string path_ = std::string(top_.path()) + "/c1";
  const DecodedPlan decoded_{small_plan("c1", path_)};
};

TEST(checksums_are_those_of_rfc_3720) {
  CHECK(sys::crc32c("123456789", 9) == 0xe3069283);
  char bytes[300];
  for (size_t size = 0; size < sizeof bytes; ++size) {
    bytes[size] = static_cast<char>(size * 7);
    CHECK(sys::crc32c(bytes, size) == sys::crc32c_by_table(bytes, size));
  }
}

TEST(each_damaged_byte_of_a_plan_is_noticed) {
  Saved saved;
  wire::Plan plan;
  CHECK(!saved.dir.load_plan(plan));
  saved.damage("plan", [&](size_t, bool) {
    plan = {};
    CHECK(saved.dir.load_plan(plan).code == ENODATA);
    CHECK(plan.list(wire::List::kDelete).count == 0 && plan.header.id.size == 0);
  });
  CHECK(!saved.dir.load_plan(plan));
  CHECK(::unlinkat(saved.dir.fd(), "plan", 0) == 0 && saved.dir.load_plan(plan).code == ENODATA);
}

TEST(each_damaged_byte_of_a_state_is_noticed_and_a_copy_found) {
  const Saved saved;
  const std::string whole = saved.read("state");
  SavedState state;
  size_t lost = 0;
  saved.damage("state", [&](size_t at, bool cut) {
    state = {};
    const sys::Failure failure = saved.dir.load_state(state);
    CHECK(failure.code == EBADMSG && std::strstr(failure.detail, "is damaged") != nullptr);
    CHECK(state.init.pid == 0 || (state.init.pid == 4711 && state.init.start_time == 0xfedcba9876543210U &&
                                  state.owner.pid == 4712 && state.owner.start_time == 17));
    CHECK(cut || state.init.pid != 0);
    lost += state.init.pid == 0 ? 1 : 0;
    size_t found = 0;
    const std::string now = saved.read("state");
    if (engine::read_state_text(now.data(), now.size(), state, found) == Copies::kOne) {
      CHECK(found == at);
    }
  });
  CHECK(lost == whole.size() / 2);
  CHECK(!saved.dir.load_state(state) && state.journal_size == saved.read("journal").size());
}

TEST(states_of_another_form_are_damaged) {
  const Saved saved;
  const std::string whole = saved.read("state");
  SavedState state;
  for (const std::string& text :
       {std::string(), whole + "x", whole + whole, "x" + whole, whole.substr(whole.size() / 2),
        std::string(2000, 'x'), std::string("tsrunc-state 1\npid 1\nstart 1\ncreated x\n")}) {
    saved.write("state", text);
    CHECK(saved.dir.load_state(state).code == EBADMSG);
  }
}

TEST(each_damaged_byte_of_a_journal_is_noticed_and_not_obeyed) {
  const Saved saved;
  SavedState state;
  CHECK(!saved.dir.load_state(state));
  const std::string whole = saved.read("journal");
  Journal journal;
  CHECK(!journal.load(saved.dir) && journal.size() == 3 && !journal.damage().any);
  saved.damage("journal", [&](size_t at, bool) {
    CHECK(!journal.load(saved.dir));
    CHECK(journal.damage().any && journal.damage().at <= at && journal.damage().line > 0);
    CHECK(journal.size() < 3);
    for (size_t i = 0; i < journal.size(); ++i) {
      CHECK(same(journal[i].path, "/sys/fs/cgroup/c1") || same(journal[i].path, "/sys/fs/cgroup/c1/inner") ||
            same(journal[i].kind, "hooks"));
    }
  });
  CHECK(::unlinkat(saved.dir.fd(), "journal", 0) == 0);
  CHECK(!journal.load(saved.dir) && journal.damage().any && journal.damage().at == 0);
}

TEST(a_line_torn_by_a_crash_is_no_damage) {
  const Saved saved;
  const std::string whole = saved.read("journal");
  const size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  Journal journal;
  for (size_t size = last; size < whole.size(); ++size) {
    journal.parse(whole.data(), size, last);
    CHECK(journal.size() == 2 && !journal.damage().any);
  }
  // Its newline alone is another byte: then it was whole once.
  const std::string flipped = whole.substr(0, whole.size() - 1) + "\v";
  journal.parse(flipped.data(), flipped.size());
  CHECK(journal.size() == 2 && journal.damage().any && journal.damage().at == last &&
        journal.damage().line == 3);
}

TEST(a_journal_survives_nonsense) {
  Journal journal;
  const std::string text = "\n\n \nunknown\n0123456\n01234567\n01234567 \n01234567 cgroup /b";
  for (size_t size = 0; size <= text.size(); ++size) {
    journal.parse(text.data(), size);
    CHECK(journal.size() == 0);
  }
}

}  // namespace
}  // namespace tsrunc::tests
