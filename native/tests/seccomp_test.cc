// native/addon: hashing, decoding of requests, and what is put in front of a filter. What a filter does is
// asked of the kernel in spec-tests, and of an interpreter in src/native/seccomp.test.ts; here are the
// architectures that neither can.
#include <linux/audit.h>
#include <seccomp.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "addon/seccomp/enosys.h"
#include "addon/seccomp/request.h"
#include "addon/seccomp_cache.h"
#include "addon/sha256.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using namespace addon;

[[nodiscard]] std::string hex(const Sha256::Digest& digest) {
  std::string out;
  for (const uint8_t byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

// FIPS 180-4, examples; and one piece against many.
TEST(sha256_is_the_standards) {
  CHECK_TEXT(hex(Sha256().finish()).c_str(),
             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_TEXT(hex(Sha256().add("abc", 3).finish()).c_str(),
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  CHECK_TEXT(hex(Sha256().add(two_blocks, sizeof two_blocks - 1).finish()).c_str(),
             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million(1000000, 'a');
  CHECK_TEXT(hex(Sha256().add(million.data(), million.size()).finish()).c_str(),
             "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  for (size_t size = 0; size < 200; ++size) {
    for (const size_t step : {size_t{1}, size_t{7}, size_t{63}, size_t{64}, size_t{65}}) {
      Sha256 pieces;
      for (size_t at = 0; at < size; at += step) {
        pieces.add(million.data() + at, at + step < size ? step : size - at);
      }
      CHECK(pieces.finish() == Sha256().add(million.data(), size).finish());
    }
  }
}

void add_word(std::vector<uint8_t>& out, uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<uint8_t>(word >> shift));
  }
}

void add_text(std::vector<uint8_t>& out, const std::string& text) {
  add_word(out, static_cast<uint32_t>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
  out.push_back(0);
}

[[nodiscard]] std::vector<uint8_t> small_request() {
  std::vector<uint8_t> out;
  for (const uint32_t word : {uint32_t{SCMP_ACT_ALLOW}, 2U, 1U, 1U}) {
    add_word(out, word);
  }
  add_text(out, "SCMP_ARCH_X86");
  add_word(out, 1);
  add_text(out, "read");
  for (const uint32_t word : {uint32_t{SCMP_ACT_KILL}, 1U, 5U, 4U, 1U, 2U, 3U, 4U}) {
    add_word(out, word);
  }
  return out;
}

TEST(a_request_is_decoded) {
  const std::vector<uint8_t> bytes = small_request();
  SeccompRequest request;
  CHECK(!decode_request(bytes.data(), bytes.size(), request));
  CHECK(request.default_action == SCMP_ACT_ALLOW && request.optimize == 2 && request.fail_unknown);
  CHECK(request.architectures.size() == 1 && request.architectures[0] == "SCMP_ARCH_X86");
  CHECK(request.rules.size() == 1 && request.rules[0].name == "read");
  const SeccompCondition& condition = request.rules[0].conditions.at(0);
  CHECK(condition.index == 5 && condition.op == 4);
  CHECK(condition.value == (uint64_t{2} << 32 | 1) && condition.value_two == (uint64_t{4} << 32 | 3));
}

TEST(each_shorter_or_longer_request_is_refused) {
  std::vector<uint8_t> bytes = small_request();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    SeccompRequest request;
    CHECK(decode_request(cut.data(), cut.size(), request).code == EBADMSG);
  }
  bytes.push_back(0);
  SeccompRequest request;
  CHECK(decode_request(bytes.data(), bytes.size(), request).code == EBADMSG);
}

// What the program answers to a system call; 0 if it goes on to the filter behind it.
[[nodiscard]] uint32_t answer(const Program& program, uint32_t arch, uint32_t number) {
  uint32_t value = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        value = step.k == 0 ? number : arch;
        break;
      case BPF_RET | BPF_K:
        return step.k;
      case BPF_JMP | BPF_JA:
        at += step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += value == step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        at += value > step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += value >= step.k ? step.jt : step.jf;
        break;
      default:
        CHECK(false);
    }
  }
  return 0;
}

constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | 38;

// libseccomp would refuse them in one filter, for their byte orders; the stub does not care.
TEST(newer_calls_are_enosys_on_each_architecture) {
  SeccompRequest request;
  request.default_action = SCMP_ACT_ERRNO(1);
  request.rules = {{"openat2", SCMP_ACT_ALLOW, {}}, {"read", SCMP_ACT_ALLOW, {}}};
  request.architectures = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM",         "SCMP_ARCH_S390X",  "SCMP_ARCH_S390",
                           "SCMP_ARCH_RISCV64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC64LE"};
  const Program stub = enosys_prologue(request);
  for (const uint32_t arch :
       std::initializer_list<uint32_t>{AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_S390X, AUDIT_ARCH_S390,
                                       AUDIT_ARCH_RISCV64, AUDIT_ARCH_PPC64LE}) {
    CHECK(answer(stub, arch, 437) == 0 && answer(stub, arch, 438) == kEnosys && answer(stub, arch, 3) == 0);
  }
  CHECK(answer(stub, AUDIT_ARCH_MIPSEL64N32, 6437) == 0 &&
        answer(stub, AUDIT_ARCH_MIPSEL64N32, 6438) == kEnosys);
  // Number 0 carries the large numbers of s390 that the kernel does not know.
  CHECK(answer(stub, AUDIT_ARCH_S390X, 0) == kEnosys && answer(stub, AUDIT_ARCH_S390, 0) == kEnosys);
  CHECK(answer(stub, AUDIT_ARCH_AARCH64, 0) == 0);
  // Not in the profile: the filter's own business.
  CHECK(answer(stub, AUDIT_ARCH_PARISC, 9999) == 0);
}

TEST(no_stub_where_the_default_lets_calls_through_or_says_the_same) {
  SeccompRequest request;
  request.rules = {{"read", SCMP_ACT_KILL, {}}};
  for (const uint32_t action : {uint32_t{SCMP_ACT_ALLOW}, uint32_t{SCMP_ACT_LOG}, uint32_t{SCMP_ACT_TRACE(1)},
                                uint32_t{SCMP_ACT_ERRNO(38)}}) {
    request.default_action = action;
    CHECK(enosys_prologue(request).empty());
  }
  for (const uint32_t action : {uint32_t{SCMP_ACT_KILL}, uint32_t{SCMP_ACT_KILL_PROCESS},
                                uint32_t{SCMP_ACT_TRAP}, uint32_t{SCMP_ACT_ERRNO(0)}}) {
    request.default_action = action;
    CHECK(!enosys_prologue(request).empty());
  }
}

TEST(a_program_is_found_for_its_own_request_only) {
  const TemporaryDirectory directory;
  const std::vector<uint8_t> request = small_request();
  const sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const SeccompCacheKey key{directory.path(), "/proc/self/exe", request.data(), request.size()};
  CHECK(find_program(key).empty());
  keep_program(key, "/proc/self/exe", reinterpret_cast<const uint8_t*>(program), sizeof program);
  const std::vector<sock_filter> found = find_program(key);
  CHECK(found.size() == 1 && found[0].k == SECCOMP_RET_ALLOW);
  SeccompCacheKey other = key;
  other.request_size -= 1;
  CHECK(find_program(other).empty());
  other = key;
  other.compiler = "/bin/sh";
  CHECK(find_program(other).empty());
  other.compiler = "/nonexistent";
  CHECK(find_program(other).empty());
}

TEST(a_program_of_a_library_that_was_replaced_is_not_found) {
  const TemporaryDirectory directory;
  const std::string library = std::string(directory.path()) + "/libseccomp.so.2";
  CHECK(::symlink("/bin/sh", library.c_str()) == 0);
  const std::vector<uint8_t> request = small_request();
  const sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const SeccompCacheKey key{directory.path(), "/proc/self/exe", request.data(), request.size()};
  keep_program(key, library, reinterpret_cast<const uint8_t*>(program), sizeof program);
  CHECK(find_program(key).size() == 1);
  CHECK(::unlink(library.c_str()) == 0);
  CHECK(find_program(key).empty());
  CHECK(::symlink("/bin/cat", library.c_str()) == 0);
  CHECK(find_program(key).empty());
}

}  // namespace
}  // namespace tsrunc::tests
