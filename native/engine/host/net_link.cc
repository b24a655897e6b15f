#include "engine/host/net_link.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <sys/socket.h>

#include <cstring>

#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::RouteAttribute;
using sys::RouteReplies;
using sys::RouteRequest;
using sys::RouteSocket;

// What `ip address add` can say of an address; the rest is state that the kernel keeps itself.
constexpr uint32_t kAddressFlags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
constexpr uint16_t kAddressAttributes[] = {IFA_ADDRESS,   IFA_LOCAL,       IFA_LABEL, IFA_BROADCAST,
                                           IFA_CACHEINFO, IFA_RT_PRIORITY, IFA_PROTO};

template <typename Header>
[[nodiscard]] Header header_of(const nlmsghdr* message) noexcept {
  Header out{};
  std::memcpy(&out, NLMSG_DATA(message), sizeof out);
  return out;
}

[[nodiscard]] RouteRequest link_request(uint32_t index) noexcept {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(index);
  return {RTM_NEWLINK, 0, header};
}

[[nodiscard]] NetRecord record_of(RouteRequest& request) noexcept {
  return {static_cast<const char*>(NLMSG_DATA(request.message())),
          request.message()->nlmsg_len - static_cast<size_t>(NLMSG_HDRLEN)};
}

// The label of an IPv4 address begins with the name of its device (linux/if_addr.h), which may be another one
// now. One that does not fit is left out: the kernel's choice is then the device's name.
void add_label(RouteRequest& request, const RouteAttribute& label, const NetLink& link,
               const char* formerly) {
  const size_t length = std::strlen(formerly);
  char text[IFNAMSIZ];
  if (label.size <= length || std::strncmp(label.data, formerly, length) != 0) {
    return;
  }
  sys::Text renamed(text);
  renamed.add(link.name).add(label.data + length, ::strnlen(label.data + length, label.size - length));
  if (!renamed.cut()) {
    request.attribute(IFA_LABEL, text);
  }
}

// The attributes of `record` behind its `header` bytes.
template <typename Each>
void each_attribute(const NetRecord& record, size_t header, Each each) {
  const size_t start = NLMSG_ALIGN(header);
  if (record.size < start) {
    return;
  }
  const auto* item = reinterpret_cast<const rtattr*>(record.data + start);
  for (auto left = static_cast<int>(record.size - start); RTA_OK(item, left); item = RTA_NEXT(item, left)) {
    each(static_cast<uint16_t>(item->rta_type & NLA_TYPE_MASK),
         RouteAttribute{static_cast<const char*>(RTA_DATA(item)), static_cast<size_t>(RTA_PAYLOAD(item))});
  }
}

[[nodiscard]] Failure add_address(RouteSocket& socket, const NetLink& link, const char* formerly,
                                  const NetRecord& record) {
  ifaddrmsg header{};
  if (record.size < sizeof header) {
    return sys::fail(EPROTO, "RTM_NEWADDR", link.name, nullptr);
  }
  std::memcpy(&header, record.data, sizeof header);
  header.ifa_index = link.index;
  RouteRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, header);
  each_attribute(record, sizeof header, [&](uint16_t type, const RouteAttribute& value) {
    if (type == IFA_LABEL) {
      add_label(request, value, link, formerly);
    } else {
      request.attribute(type, value.data, value.size);
    }
  });
  return socket.call(request, "RTM_NEWADDR", link.name);
}

// rtnetlink(7): it comes first in struct ifaddrmsg.
[[nodiscard]] uint8_t family_of(const NetRecord& record) noexcept {
  return static_cast<uint8_t>(record.data[0]);
}

}  // namespace

Failure find_link(RouteSocket& socket, const char* name, uint32_t index, NetLink& out) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(index);
  RouteRequest request(RTM_GETLINK, 0, header);
  if (name != nullptr) {
    request.attribute(IFLA_IFNAME, name);
  }
  RouteReplies replies;
  TSRUNC_TRY(socket.ask(request, replies, "RTM_GETLINK", name));
  const nlmsghdr* message = replies.first();
  if (message == nullptr || message->nlmsg_type != RTM_NEWLINK) {
    return sys::fail(EPROTO, "RTM_GETLINK", name, nullptr);
  }
  const auto found = header_of<ifinfomsg>(message);
  out.index = static_cast<uint32_t>(found.ifi_index);
  out.flags = found.ifi_flags;
  out.master = RouteReplies::attribute(message, sizeof found, IFLA_MASTER).u32();
  const RouteAttribute real = RouteReplies::attribute(message, sizeof found, IFLA_IFNAME);
  sys::Text(out.name).add(real ? real.data : "", ::strnlen(real ? real.data : "", real.size));
  return kOk;
}

Failure move_link(RouteSocket& socket, const NetLink& link, int fd, const char* name) {
  RouteRequest request = link_request(link.index);
  request.attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(fd));
  request.attribute(IFLA_IFNAME, name);
  return socket.call(request, "RTM_NEWLINK", link.name);
}

Failure rename_link(RouteSocket& socket, uint32_t index, const char* name) {
  RouteRequest request = link_request(index);
  request.attribute(IFLA_IFNAME, name);
  return socket.call(request, "RTM_NEWLINK", name);
}

Failure attach_link(RouteSocket& socket, const NetLink& link, uint32_t master, bool up) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(link.index);
  header.ifi_flags = up ? IFF_UP : 0;
  header.ifi_change = up ? IFF_UP : 0;
  RouteRequest request(RTM_NEWLINK, 0, header);
  if (master != 0) {
    request.attribute(IFLA_MASTER, master);
  }
  return socket.call(request, "RTM_NEWLINK", link.name);
}

Failure list_addresses(RouteSocket& socket, const NetLink& link, NetRecords& out) {
  ifaddrmsg all{};
  all.ifa_family = AF_UNSPEC;
  RouteRequest question(RTM_GETADDR, NLM_F_DUMP, all);
  RouteReplies replies;
  TSRUNC_TRY(socket.ask(question, replies, "RTM_GETADDR", link.name));
  for (const nlmsghdr* message = replies.first(); message != nullptr; message = replies.next(message)) {
    auto header = header_of<ifaddrmsg>(message);
    const RouteAttribute wide = RouteReplies::attribute(message, sizeof header, IFA_FLAGS);
    const uint32_t flags = wide ? wide.u32() : header.ifa_flags;
    if (message->nlmsg_type != RTM_NEWADDR || header.ifa_index != link.index ||
        header.ifa_scope != RT_SCOPE_UNIVERSE || (flags & IFA_F_PERMANENT) == 0) {
      continue;
    }
    header.ifa_flags = 0;
    RouteRequest kept(RTM_NEWADDR, 0, header);
    kept.attribute(IFA_FLAGS, flags & kAddressFlags);
    for (const uint16_t type : kAddressAttributes) {
      if (const RouteAttribute value = RouteReplies::attribute(message, sizeof header, type); value) {
        kept.attribute(type, value.data, value.size);
      }
    }
    out.push(record_of(kept));
  }
  return kOk;
}

Failure add_addresses(RouteSocket& socket, const NetLink& link, const char* formerly,
                      const NetRecords& records) {
  // The first IPv4 address of a net is its primary one, so they come in the order of the list. The kernel
  // puts a new IPv6 address in front of the others.
  for (size_t i = 0; i < records.size(); ++i) {
    if (family_of(records[i]) == AF_INET) {
      TSRUNC_TRY(add_address(socket, link, formerly, records[i]));
    }
  }
  for (size_t i = records.size(); i > 0; --i) {
    if (family_of(records[i - 1]) != AF_INET) {
      TSRUNC_TRY(add_address(socket, link, formerly, records[i - 1]));
    }
  }
  return kOk;
}

Failure list_routes(RouteSocket& socket, const NetLink& link, NetRecords& out) {
  rtmsg all{};
  all.rtm_family = AF_UNSPEC;
  RouteRequest question(RTM_GETROUTE, NLM_F_DUMP, all);
  RouteReplies replies;
  TSRUNC_TRY(socket.ask(question, replies, "RTM_GETROUTE", link.name));
  for (const nlmsghdr* message = replies.first(); message != nullptr; message = replies.next(message)) {
    const auto header = header_of<rtmsg>(message);
    const bool made = header.rtm_protocol != RTPROT_KERNEL && header.rtm_protocol != RTPROT_RA &&
                      header.rtm_protocol != RTPROT_REDIRECT && (header.rtm_flags & RTM_F_CLONED) == 0;
    if (message->nlmsg_type == RTM_NEWROUTE && made &&
        RouteReplies::attribute(message, sizeof header, RTA_OIF).u32() == link.index) {
      out.push({static_cast<const char*>(NLMSG_DATA(message)),
                message->nlmsg_len - static_cast<size_t>(NLMSG_HDRLEN)});
    }
  }
  return kOk;
}

Failure add_route(RouteSocket& socket, const NetLink& link, const NetRecord& record) {
  rtmsg header{};
  if (record.size < sizeof header) {
    return sys::fail(EPROTO, "RTM_NEWROUTE", link.name, nullptr);
  }
  std::memcpy(&header, record.data, sizeof header);
  // What the kernel says of a route and takes back from nobody: dead, linkdown, offloaded.
  header.rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
  RouteRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, header);
  each_attribute(record, sizeof header, [&](uint16_t type, const RouteAttribute& value) {
    if (type == RTA_OIF) {
      request.attribute(RTA_OIF, link.index);
    } else if (type != RTA_CACHEINFO) {
      request.attribute(type, value.data, value.size);
    }
  });
  const Failure failure = socket.call(request, "RTM_NEWROUTE", link.name);
  return failure.code == EEXIST ? kOk : failure;
}

bool has_gateway(const NetRecord& record) noexcept {
  bool found = false;
  each_attribute(record, sizeof(rtmsg), [&](uint16_t type, const RouteAttribute& /*value*/) {
    found = found || type == RTA_GATEWAY || type == RTA_VIA;
  });
  return found;
}

}  // namespace tsrunc::engine
