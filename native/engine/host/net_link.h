// A network device and what the kernel forgets of it when it leaves its network namespace: its permanent
// global addresses, its routes, its place in a bridge or bond, and that it was up.
#pragma once

#include <linux/if.h>

#include <cstdint>

#include "engine/host/net_record.h"
#include "sys/result.h"
#include "sys/route_socket.h"

namespace tsrunc::engine {

struct NetLink {
  uint32_t index = 0;
  uint32_t flags = 0;   // IFF_*
  uint32_t master = 0;  // index of the bridge or bond that it belongs to, or 0
  char name[IFNAMSIZ] = {};
};

// By name, or by index where `name` is nullptr. ENODEV: there is none.
[[nodiscard]] sys::Failure find_link(sys::RouteSocket& socket, const char* name, uint32_t index,
                                     NetLink& out);

// Moves the link `index` into the network namespace `fd` and names it there. `name` is not in use in it.
[[nodiscard]] sys::Failure move_link(sys::RouteSocket& socket, const NetLink& link, int fd, const char* name);

// `name`: also a template that ends in %d (netdevice(7) has no word for it: the kernel takes the next free
// number).
[[nodiscard]] sys::Failure rename_link(sys::RouteSocket& socket, uint32_t index, const char* name);

// Into its bridge or bond where `master` is not 0, and up where `up`.
[[nodiscard]] sys::Failure attach_link(sys::RouteSocket& socket, const NetLink& link, uint32_t master,
                                       bool up);

// config-linux.md "Network Devices": adds to `out` the IFA_F_PERMANENT addresses of RT_SCOPE_UNIVERSE, of any
// family.
[[nodiscard]] sys::Failure list_addresses(sys::RouteSocket& socket, const NetLink& link, NetRecords& out);
// Gives them to `link`, in the order in which list_addresses found them; a label of the name `formerly` gets
// the link's own.
[[nodiscard]] sys::Failure add_addresses(sys::RouteSocket& socket, const NetLink& link, const char* formerly,
                                         const NetRecords& records);

// Adds to `out` the routes through the link that somebody made: not those that the kernel makes of addresses.
[[nodiscard]] sys::Failure list_routes(sys::RouteSocket& socket, const NetLink& link, NetRecords& out);
// EEXIST is success.
[[nodiscard]] sys::Failure add_route(sys::RouteSocket& socket, const NetLink& link, const NetRecord& record);
// Whether it leads to a gateway, which must be reachable by another route first.
[[nodiscard]] bool has_gateway(const NetRecord& record) noexcept;

}  // namespace tsrunc::engine
