// What tsrunc and its planner say to each other over ROOT/~planner. Both are of one build and one machine:
// numbers have its byte order. src/planner/protocol.ts is the other half.
//
//   tsrunc ◀── Greeting, with the descriptor of a copy of the executable where the planner has one (sealed.h)
//          ──▶ RequestHeader, sections
//          ◀── ReplyHeader of kind kAsk: what of the caller's paths has to be known, "d/path\0" a directory's
//          real
//              path, "n/path\0" the identity of a namespace ("device:inode"), "l/path\0" what a cgroup's file
//              says ("=" before it; nothing: there is no such file), for which the caller locks the container
//          ──▶ AnswersHeader, "d/path\0/real/path\0" and so on
//          ◀── ReplyHeader of kind kPlan: lines for stderr, the log's file, lines for it, the plan
//              or of kind kCold: this call is for node, for a reason that node will tell or find nothing
//              wrong with or of kind kStale: the installation has changed, the planner ends
#pragma once

#include <cstddef>
#include <cstdint>

namespace tsrunc::launcher {

inline constexpr char kPlannerSocket[] = "~planner";
inline constexpr char kPlannerMagic[16] = "tsrunc-planner4";

// create and run send kBundle, its real path, and kConfig. exec sends kConfig for the file of --process,
// update for that of --resources or the standard input, and both what create saved of the container.
enum class Section : uint8_t {
  kArgv,
  kCwd,
  kEnvironment,
  kRecord,
  kBundle,
  kConfig,
  kAnswers,
  kSavedPlan,
  kSavedState,
  kCount
};
inline constexpr size_t kSections = static_cast<size_t>(Section::kCount);

// A file as it lies on disk: an installation that is replaced gives it another inode and time.
struct FileIdentity {
  uint64_t device;
  uint64_t inode;
  uint64_t size;
  uint64_t nanoseconds;  // of its time of modification
};

struct Greeting {
  char magic[16];
};
static_assert(sizeof(Greeting) == 16);

struct RequestHeader {
  char magic[16];
  FileIdentity executable;
  FileIdentity bundle;  // dist/bundle.js
  uint32_t sizes[kSections];
  uint32_t reserved;
};
static_assert(sizeof(RequestHeader) == 16 + 64 + 40);

struct AnswersHeader {
  char magic[16];
  uint32_t size;
  uint32_t reserved;
};
static_assert(sizeof(AnswersHeader) == 24);

enum class ReplyKind : uint32_t { kPlan = 1, kCold = 2, kAsk = 3, kStale = 4 };
enum class Part : uint8_t { kStderr, kLogFile, kLog, kBody, kCount };
inline constexpr size_t kParts = static_cast<size_t>(Part::kCount);

struct ReplyHeader {
  char magic[16];
  uint32_t kind;
  uint32_t sizes[kParts];
  uint32_t reserved;
};
static_assert(sizeof(ReplyHeader) == 40);

// More than any plan has; a plan of 10,000 mounts has three million bytes.
inline constexpr uint64_t kMostReplyBytes = uint64_t{64} << 20;
// A configuration and a saved plan may have 16 MiB, a command line and its environment 6 MiB.
inline constexpr uint64_t kMostRequestBytes = uint64_t{24} << 20;
inline constexpr uint32_t kMostAnswerBytes = uint32_t{4} << 20;
inline constexpr uint32_t kMostConfigBytes = uint32_t{16} << 20;
inline constexpr uint32_t kMostPlanBytes = uint32_t{16} << 20;

}  // namespace tsrunc::launcher
