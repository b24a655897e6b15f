#include "launcher/kept_plans.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "launcher/kept_facts.h"
#include "launcher/planner_wire.h"
#include "launcher/repeated_plan.h"
#include "sys/crc32c.h"
#include "sys/private_file.h"
#include "sys/small_file.h"

namespace tsrunc::launcher {
namespace {

constexpr char kDirectory[] = "~plans";
constexpr char kKept[] = "kept";
constexpr char kNew[] = "new";
constexpr char kSeen[] = "seen";

constexpr size_t kMostEntries = 16;
constexpr size_t kMostBytes = size_t{4} << 20;

// Where an entry is.
struct Place {
  uint64_t same;    // hash of what requests for it have in common
  uint64_t offset;  // from the beginning of the file
  uint32_t size;
  uint32_t checksum;
};
static_assert(sizeof(Place) == 24);

// How the file begins; the facts follow, and the entries.
struct Head {
  char magic[16] = "tsrunc-plans-1";
  uint32_t checksum = 0;  // of all of this with zeros here
  uint32_t facts = 0;     // bytes
  Place places[kMostEntries] = {};
};
static_assert(sizeof(Head) == 24 + 24 * kMostEntries);

// Which requests have come: the last ones, in turn.
struct Seen {
  char magic[16] = "tsrunc-seen-1";
  uint64_t facts = 0;
  uint64_t next = 0;
  struct {
    uint64_t kind;
    uint64_t times;
  } all[kMostEntries] = {};
};
static_assert(sizeof(Seen) == 32 + 16 * kMostEntries);

[[nodiscard]] std::string_view view_of(const sys::Array<char>& bytes) noexcept {
  return {bytes.data(), bytes.size()};
}

// Two that have the same are taken for one only where it costs time and nothing else.
[[nodiscard]] uint64_t hash_of(std::string_view bytes, uint64_t before = 0) noexcept {
  constexpr uint64_t kPrime = 0x100000001b3;  // http://www.isthe.com/chongo/tech/comp/fnv/
  return (before ^ sys::crc32c(bytes.data(), bytes.size())) * kPrime + bytes.size();
}

[[nodiscard]] uint32_t checksum_of(Head head) noexcept {
  head.checksum = 0;
  return sys::crc32c(&head, sizeof head);
}

// What a plan has of its configuration and its caller's variables is to be on no disk.
[[nodiscard]] bool is_in_memory(const char* root) noexcept {
  struct statfs system {};
  return ::statfs(root, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

// The file of entries, where it is the caller's alone.
class KeptFile {
 public:
  [[nodiscard]] bool open(int directory) noexcept {
    file_ = sys::UniqueFd(::openat(directory, kKept, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat about {};
    return file_.valid() && ::fstat(file_.get(), &about) == 0 && sys::is_private(about, S_IFREG) &&
           about.st_nlink == 1 && read(&head_, sizeof head_, 0) &&
           std::memcmp(head_.magic, Head().magic, sizeof head_.magic) == 0 &&
           head_.checksum == checksum_of(head_);
  }
  // Whether its entries hold for these facts.
  [[nodiscard]] bool is_of(const sys::Array<char>& facts) const noexcept {
    sys::Array<char> own;
    own.resize(facts.size());
    return head_.facts == facts.size() && read(own.data(), own.size(), sizeof head_) &&
           view_of(own) == view_of(facts);
  }
  [[nodiscard]] const Head& head() const noexcept { return head_; }
  // Appends the bytes of an entry as they were written.
  [[nodiscard]] bool add_entry(const Place& place, sys::Array<char>& out) const noexcept {
    const size_t at = out.size();
    if (place.size == 0 || place.size > kMostBytes) {
      return false;
    }
    out.resize(at + place.size);
    if (!read(out.data() + at, place.size, static_cast<off_t>(place.offset)) ||
        sys::crc32c(out.data() + at, place.size) != place.checksum) {
      out.resize(at);
      return false;
    }
    return true;
  }

 private:
  [[nodiscard]] bool read(void* data, size_t size, off_t at) const noexcept {
    return ::pread(file_.get(), data, size, at) == static_cast<ssize_t>(size);
  }

  sys::UniqueFd file_;
  Head head_;
};

// A word that says what is to be done, and not to which container: it is the same the next time.
[[nodiscard]] bool is_usual(std::string_view word) noexcept {
  return word.find_first_of("/0123456789") == std::string_view::npos;
}

[[nodiscard]] uint64_t hash_words(std::string_view words) noexcept {
  uint64_t hash = 0;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find('\0'));
    hash = hash_of(is_usual(word) ? word : "/", hash);
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  return hash;
}

struct Kind {
  uint64_t same = 0;  // of what requests for one plan have in common
  uint64_t words = 0;
};

[[nodiscard]] Kind kind_of(std::string_view request) noexcept {
  RequestHeader header;
  std::memcpy(&header, request.data(), sizeof header);
  Kind kind;
  kind.same = hash_of(request.substr(0, offsetof(RequestHeader, sizes)));
  size_t at = sizeof header;
  for (size_t i = 0; i < kSections; ++i) {
    const std::string_view part = request.substr(std::min(at, request.size()), header.sizes[i]);
    at += header.sizes[i];
    const auto section = static_cast<Section>(i);
    if (section == Section::kArgv) {
      kind.words = hash_words(part);
    } else if (section != Section::kRecord && section != Section::kAnswers) {
      kind.same = hash_of(part, kind.same);
    }
  }
  return kind;
}

[[nodiscard]] bool is_request(std::string_view bytes) noexcept {
  return bytes.size() >= sizeof(RequestHeader);
}

// The second time, and of one whose plan was not to be had or did not fit again, more and more seldom.
[[nodiscard]] bool is_worth_keeping(uint64_t times) noexcept {
  return times > 1 && (times & (times - 1)) == 0;
}

}  // namespace

bool KeptPlans::are_possible(const char* root) {
  return ::geteuid() == 0 && is_in_memory(root);
}

bool KeptPlans::open(const char* root) {
  sys::Array<char> path;
  path.append(root, std::strlen(root));
  path.push('/');
  path.append(kDirectory, sizeof kDirectory);
  if (!are_possible(root) || !add_kept_facts(facts_) ||
      (::mkdir(path.data(), 0700) != 0 && errno != EEXIST)) {
    return false;
  }
  directory_ = sys::UniqueFd(::open(path.data(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about {};
  return directory_.valid() && ::fstat(directory_.get(), &about) == 0 && sys::is_private(about, S_IFDIR);
}

bool KeptPlans::find(std::string_view request, sys::Array<char>& reply) const {
  KeptFile file;
  if (!is_request(request) || !file.open(directory_.get())) {
    return false;
  }
  if (!file.is_of(facts_)) {
    (void)::unlinkat(directory_.get(), kKept, 0);
    return false;
  }
  const Kind kind = kind_of(request);
  sys::Array<char> entry;
  for (const Place& place : file.head().places) {
    RepeatedPlan plan;
    entry.clear();
    if (place.same != kind.same || !file.add_entry(place, entry) || !plan.read(view_of(entry)) ||
        !plan.is_for(request)) {
      continue;
    }
    const sys::UniqueFd own(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!own.valid() || !plan.is_sound() || !plan.looks_the_same(request, own.get())) {
      return false;
    }
    plan.answer(request, reply);
    return true;
  }
  return false;
}

bool KeptPlans::note(std::string_view request) const {
  const sys::UniqueFd file(
      ::openat(directory_.get(), kSeen, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  struct stat about {};
  // Two calls at a time may lose each other's notes.
  if (!is_request(request) || !file.valid() || ::fstat(file.get(), &about) != 0 ||
      !sys::is_private(about, S_IFREG) || about.st_nlink != 1) {
    return false;
  }
  const Seen none;
  const uint64_t facts = hash_of(view_of(facts_));
  Seen seen;
  if (::pread(file.get(), &seen, sizeof seen, 0) != static_cast<ssize_t>(sizeof seen) ||
      std::memcmp(seen.magic, none.magic, sizeof none.magic) != 0 || seen.facts != facts) {
    seen = none;
    seen.facts = facts;
  }
  const Kind kind = kind_of(request);
  const uint64_t hash = kind.same ^ kind.words;
  auto* one = std::find_if(std::begin(seen.all), std::end(seen.all),
                           [&](const auto& each) { return each.times > 0 && each.kind == hash; });
  if (one == std::end(seen.all)) {
    one = &seen.all[seen.next++ % kMostEntries];
    *one = {hash, 0};
  }
  const uint64_t times = ++one->times;
  return ::pwrite(file.get(), &seen, sizeof seen, 0) == static_cast<ssize_t>(sizeof seen) &&
         is_worth_keeping(times);
}

void KeptPlans::keep(std::string_view entry, std::string_view facts) const {
  RepeatedPlan added;
  if (facts != view_of(facts_) || !added.read(entry) || !added.is_sound() ||
      ::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
    return;
  }
  Head head;
  head.facts = static_cast<uint32_t>(facts.size());
  sys::Array<char> out;
  out.resize(sizeof head);
  out.append(facts.data(), facts.size());
  Place* next = std::begin(head.places);
  const auto place = [&](size_t at, uint64_t same) {
    *next++ = {same, at, static_cast<uint32_t>(out.size() - at),
               sys::crc32c(out.data() + at, out.size() - at)};
  };
  out.append(entry.data(), entry.size());
  place(out.size() - entry.size(), kind_of(added.request()).same);
  KeptFile before;
  if (before.open(directory_.get()) && before.is_of(facts_)) {
    for (const Place& one : before.head().places) {
      const size_t at = out.size();
      RepeatedPlan plan;
      if (next == std::end(head.places) || !before.add_entry(one, out)) {
        continue;
      }
      if (plan.read(view_of(out).substr(at)) && !plan.is_for(added.request()) && out.size() <= kMostBytes) {
        place(at, one.same);
      } else {
        out.resize(at);
      }
    }
  }
  head.checksum = checksum_of(head);
  std::memcpy(out.data(), &head, sizeof head);
  write(out);
}

void KeptPlans::write(const sys::Array<char>& bytes) const {
  // One that somebody has left half written.
  (void)::unlinkat(directory_.get(), kNew, 0);
  const sys::UniqueFd file(
      ::openat(directory_.get(), kNew, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const bool written = file.valid() && !sys::write_all(file.get(), bytes.data(), bytes.size(), nullptr) &&
                       ::renameat(directory_.get(), kNew, directory_.get(), kKept) == 0;
  if (file.valid() && !written) {
    (void)::unlinkat(directory_.get(), kNew, 0);
  }
}

}  // namespace tsrunc::launcher
