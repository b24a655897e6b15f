// Taking a network device back.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstdlib>
#include <cstring>

#include "engine/errno_text.h"
#include "engine/host/net_device.h"
#include "engine/host/net_link.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::RouteSocket;
using sys::UniqueFd;

[[nodiscard]] bool is_kind(const JournalEntry& entry, const char* kind) noexcept {
  return std::strcmp(entry.kind, kind) == 0;
}

// The lines of one device.
struct Lent {
  const char* namespace_path = "";
  NetRecords addresses;
  NetRecords routes;
  char name[IFNAMSIZ] = {};
  char beside[IFNAMSIZ] = {};
  uint32_t master = 0;
  bool up = false;
  uint32_t index = 0;  // where it is now, 0: it may be there by the name `beside`
};

// The next word of a `netdevice` line.
template <size_t N>
[[nodiscard]] const char* take_word(const char* from, char (&out)[N]) noexcept {
  from += std::strspn(from, " ");
  const size_t length = std::strcspn(from, " ");
  sys::Text(out).add(from, length);
  return from + length;
}

void read_lines(const Journal& journal, size_t at, Lent& out) {
  size_t first = at;
  while (first > 0 && !is_kind(journal[first], "netns")) {
    --first;
  }
  out.namespace_path = is_kind(journal[first], "netns") ? journal[first].path : "";
  for (size_t i = first; i < at; ++i) {
    // A line that is no record is of another version: without it as much comes back as can.
    (void)(is_kind(journal[i], "netaddress") && out.addresses.push_text(journal[i].path));
    (void)(is_kind(journal[i], "netroute") && out.routes.push_text(journal[i].path));
  }
  char master[24];
  char up[24];
  const char* rest = take_word(journal[at].path, out.name);
  rest = take_word(rest, out.beside);
  rest = take_word(rest, master);
  (void)take_word(rest, up);
  out.master = static_cast<uint32_t>(std::strtoul(master, nullptr, 10));
  out.up = up[0] == '1';
  if (at + 1 < journal.size() && is_kind(journal[at + 1], "netarrived")) {
    out.index = static_cast<uint32_t>(std::strtoul(journal[at + 1].path, nullptr, 10));
  }
}

// The namespace of a tsrunc that is still at work, or of a path; invalid: it has ended, with all that was in
// it.
[[nodiscard]] UniqueFd namespace_of(const HostContext& context, const Lent& lent) noexcept {
  if (context.net_namespace.valid()) {
    return UniqueFd(::fcntl(context.net_namespace.get(), F_DUPFD_CLOEXEC, 0));
  }
  if (*lent.namespace_path == 0) {
    return {};
  }
  UniqueFd fd(::open(lent.namespace_path, O_RDONLY | O_CLOEXEC));
  return fd.valid() && ::ioctl(fd.get(), NS_GET_NSTYPE) == CLONE_NEWNET ? std::move(fd) : UniqueFd();
}

[[nodiscard]] Failure restore(RouteSocket& host, const Lent& lent) {
  NetLink link;
  TSRUNC_TRY(find_link(host, lent.name, 0, link));
  TSRUNC_TRY(add_addresses(host, link, lent.name, lent.addresses));
  TSRUNC_TRY(attach_link(host, link, lent.master, lent.up));
  for (const bool gateways : {false, true}) {
    for (size_t i = 0; i < lent.routes.size(); ++i) {
      if (has_gateway(lent.routes[i]) == gateways) {
        TSRUNC_TRY(add_route(host, link, lent.routes[i]));
      }
    }
  }
  return kOk;
}

}  // namespace

Failure undo_net_device(HostContext& context, const Journal& journal, size_t index) {
  Lent lent;
  read_lines(journal, index, lent);
  const UniqueFd away = namespace_of(context, lent);
  const UniqueFd home(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!away.valid() || !home.valid()) {
    return away.valid() ? sys::fail("open", "/proc/self/ns/net") : kOk;
  }
  Result<RouteSocket> inside = RouteSocket::open_in(away.get());
  Result<RouteSocket> host = RouteSocket::open();
  if (!inside.ok() || !host.ok()) {
    return inside.ok() ? host.failure() : inside.failure();
  }
  NetLink link;
  const char* name = lent.index == 0 ? lent.beside : nullptr;
  Failure failure = find_link(*inside, name, lent.index, link);
  if (failure.code == ENODEV) {
    return kOk;
  }
  failure = failure ? failure : move_link(*inside, link, home.get(), lent.name);
  failure = failure ? failure : restore(*host, lent);
  if (!failure) {
    return kOk;
  }
  sys::Text(context.detail)
      .add("network device \"")
      .add(lent.name)
      .add("\" does not come back as it was: ")
      .add(failure.detail != nullptr ? failure.detail : errno_text(failure.code));
  return sys::fail(failure.code, failure.call, nullptr, context.detail);
}

}  // namespace tsrunc::engine
