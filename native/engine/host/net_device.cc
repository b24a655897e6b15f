#include "engine/host/net_device.h"

#include <fcntl.h>
#include <sys/random.h>

#include <cstring>

#include "engine/errno_text.h"
#include "engine/host/net_link.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::RouteSocket;
using sys::Text;

// The kernel's own words live as long as the socket only; for a person they belong behind those of the errno.
[[nodiscard]] Failure told(HostContext& context, const Failure& failure) {
  if (!failure || failure.detail == nullptr) {
    return failure;
  }
  Text(context.detail).add(errno_text(failure.code)).add(": ").add(failure.detail);
  return sys::fail(failure.code, failure.call, failure.path, context.detail);
}

// Kept open: without init it is what keeps the namespace, and so the device, until all is undone.
[[nodiscard]] Failure open_namespace(HostContext& context) {
  if (context.net_namespace.valid()) {
    return kOk;
  }
  char path[48];
  Text(path).add("/proc/").add(static_cast<uint64_t>(context.init.pid)).add("/ns/net");
  Result<sys::UniqueFd> fd = sys::open_host(path, O_RDONLY);
  if (!fd.ok()) {
    return sys::fail(fd.failure().code, "open", "/proc/PID/ns/net", nullptr);
  }
  context.net_namespace = std::move(*fd);
  return kOk;
}

// The move of one device, from the question whether it can be moved to its being up.
class Move {
 public:
  Move(HostContext& context, const wire::MoveNetDevice& op, RouteSocket& host, RouteSocket& inside) noexcept
      : context_(context), op_(op), host_(host), inside_(inside) {}

  [[nodiscard]] Failure run() {
    TSRUNC_TRY(find());
    TSRUNC_TRY(check_name());
    TSRUNC_TRY(list_addresses(host_, link_, addresses_));
    TSRUNC_TRY(journal());
    TSRUNC_TRY(move_link(host_, link_, context_.net_namespace.get(), beside_));
    TSRUNC_TRY(arrive());
    TSRUNC_TRY(add_addresses(inside_, arrived_, link_.name, addresses_));
    return attach_link(inside_, arrived_, 0, true);
  }

 private:
  [[nodiscard]] Failure find() {
    const Failure failure = find_link(host_, op_.device.data, 0, link_);
    return failure.code == ENODEV ? sys::fail(ENODEV, "RTM_GETLINK", op_.device.data,
                                              "the host has no network device of this name")
                                  : failure;
  }

  // config-linux.md: a device of that name in the container is an error, found here before anything is
  // changed.
  [[nodiscard]] Failure check_name() {
    NetLink other;
    if (op_.is_template) {
      return kOk;
    }
    if (const Failure failure = find_link(inside_, op_.name.data, 0, other); failure) {
      return failure.code == ENODEV ? kOk : failure;
    }
    return sys::fail(EEXIST, "RTM_GETLINK", op_.name.data,
                     "file exists: the container's network namespace has a device of this name already");
  }

  [[nodiscard]] Failure journal() {
    NetRecords routes;
    TSRUNC_TRY(list_routes(host_, link_, routes));
    TSRUNC_TRY(context_.state.journal("netns", op_.namespace_path.data));
    TSRUNC_TRY(journal("netaddress", addresses_));
    TSRUNC_TRY(journal("netroute", routes));
    // A name that nobody else has: the device's own may be in use there, and a template says nothing of which
    // one it got.
    uint32_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
      return sys::fail("getrandom");
    }
    Text(beside_).add("tsrunc").add(number, 16);
    char line[128];
    Text text(line);
    text.add(link_.name).add(" ").add(beside_).add(" ").add(uint64_t{link_.master});
    text.add((link_.flags & IFF_UP) != 0 ? " 1" : " 0");
    return context_.state.journal("netdevice", line);
  }

  [[nodiscard]] Failure journal(const char* kind, const NetRecords& records) {
    for (size_t i = 0; i < records.size(); ++i) {
      char line[4096];
      Text text(line);
      add_text(text, records[i]);
      if (text.cut()) {
        return sys::fail(E2BIG, "journal", link_.name, nullptr);
      }
      TSRUNC_TRY(context_.state.journal(kind, line));
    }
    return kOk;
  }

  [[nodiscard]] Failure arrive() {
    TSRUNC_TRY(find_link(inside_, beside_, 0, arrived_));
    char number[24];
    Text(number).add(uint64_t{arrived_.index});
    TSRUNC_TRY(context_.state.journal("netarrived", number));
    TSRUNC_TRY(rename_link(inside_, arrived_.index, op_.name.data));
    return find_link(inside_, nullptr, arrived_.index, arrived_);
  }

  HostContext& context_;
  const wire::MoveNetDevice& op_;
  RouteSocket& host_;
  RouteSocket& inside_;
  NetLink link_;
  NetLink arrived_;
  NetRecords addresses_;
  char beside_[IFNAMSIZ] = {};
};

}  // namespace

Failure run(HostContext& context, const wire::MoveNetDevice& op) {
  TSRUNC_TRY(open_namespace(context));
  Result<RouteSocket> host = RouteSocket::open();
  if (!host.ok()) {
    return host.failure();
  }
  Result<RouteSocket> inside = RouteSocket::open_in(context.net_namespace.get());
  if (!inside.ok()) {
    return inside.failure();
  }
  const Failure failure = Move(context, op, *host, *inside).run();
  // The paths of the plan outlive the move, those of its parts do not.
  return told(context,
              failure ? sys::fail(failure.code, failure.call, op.device.data, failure.detail) : failure);
}

}  // namespace tsrunc::engine
