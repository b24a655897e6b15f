// libFuzzer harness for both ends of the planner's socket. PlannerClient::receive: whatever answers in the
// place of a planner, the parts of a reply lie one behind the other within what came, and a reply that is cut
// is an error at once. PlannerConnection::read: whatever calls, a message is one whose header tells its
// length.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "addon/planner_connection.h"
#include "launcher/planner_client.h"
#include "sys/text.h"

namespace {

using namespace tsrunc;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// ROOT/~planner, at which this process itself answers.
class Server {
 public:
  Server() {
    require(::mkdtemp(root_) != nullptr);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    sys::Text(name.sun_path).add(path().c_str());
    listener_ = sys::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    require(::listen(listener_.get(), 4) == 0);
  }
  ~Server() {
    (void)::unlink(path().c_str());
    (void)::rmdir(root_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const char* root() const { return root_; }

  // Says the bytes to who has connected, and ends.
  void answer(const uint8_t* data, size_t size) {
    const sys::UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    require(peer.valid());
    require(::send(peer.get(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(size));
  }

 private:
  [[nodiscard]] std::string path() const { return std::string(root_) + "/" + launcher::kPlannerSocket; }
  char root_[32] = "/tmp/tsrunc-fuzz.XXXXXX";
  sys::UniqueFd listener_;
};

constexpr int64_t kMilliseconds = 30000;
// What a socket takes without a reader.
constexpr size_t kMost = size_t{64} << 10;

// The other end: what a planner makes of the bytes.
void call(const std::string& bytes) {
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  sys::UniqueFd caller(ends[0]);
  addon::Held held;
  {
    addon::PlannerConnection connection(sys::UniqueFd(ends[1]), 1, held);
    require(connection.greet(-1));
    require(::send(caller.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    if (connection.read() == addon::PlannerConnection::Turn::kWhole) {
      launcher::RequestHeader header;
      require(connection.size() == bytes.size() && bytes.size() >= sizeof header);
      std::memcpy(&header, connection.message(), sizeof header);
      size_t total = sizeof header;
      for (const uint32_t size : header.sizes) {
        total += size;
      }
      require(total == bytes.size());
    }
  }
  require(held.bytes == 0);
}

// A header of the right form with parts of some length: of random bytes hardly any are one.
void repair(uint8_t* bytes, size_t size) {
  launcher::ReplyHeader header{};
  if (size < sizeof header) {
    return;
  }
  std::memcpy(&header, bytes, sizeof header);
  std::memcpy(header.magic, launcher::kPlannerMagic, sizeof header.magic);
  header.kind = header.kind % 5;
  for (uint32_t& part : header.sizes) {
    part %= 64;
  }
  std::memcpy(bytes, &header, sizeof header);
}

}  // namespace

// The first byte says whether the header is made right.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > kMost) {
    return 0;
  }
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] >= 128) {
    repair(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
  }
  call(bytes);
  static Server server;
  launcher::PlannerClient client(kMilliseconds);
  require(!client.connect(server.root()));
  // A planner greets first; a harness of which every second byte is wrong would never come to the rest.
  const std::string greeting(launcher::kPlannerMagic, sizeof launcher::kPlannerMagic);
  const std::string all = (data[0] % 8 == 7 ? std::string() : greeting) + bytes;
  server.answer(reinterpret_cast<const uint8_t*>(all.data()), all.size());
  sys::UniqueFd offered;
  launcher::PlannerReply reply;
  if ((data[0] % 2 == 0 && client.receive_greeting(kMilliseconds, offered)) || client.receive(reply)) {
    return 0;
  }
  bytes = all.substr(greeting.size());
  size_t total = 0;
  for (const launcher::Part part :
       {launcher::Part::kStderr, launcher::Part::kLogFile, launcher::Part::kLog, launcher::Part::kBody}) {
    require(reply.part(part) == reply.bytes.data() + total);
    for (size_t i = 0; i < reply.size(part); ++i) {
      require(reply.part(part)[i] == bytes[sizeof(launcher::ReplyHeader) + total + i]);
    }
    total += reply.size(part);
  }
  require(total == reply.bytes.size() && sizeof(launcher::ReplyHeader) + total <= bytes.size());
  return 0;
}
