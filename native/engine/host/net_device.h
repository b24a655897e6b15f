// config-linux.md "Network Devices": lending the container a network device of the host, and taking it back
// where the container never came to be.
//
// In the journal, for each device:
//   netns PATH                        the network namespace that it goes to; empty: one that ends with init
//   netaddress HEX, netroute HEX      what the kernel will forget of it, as net_link.h's records
//   netdevice NAME BESIDE MASTER UP   its name, the name under which it arrives there, IFLA_MASTER, 1 if it
//   was up netarrived INDEX                  it is there, and has this index; it has any name from here on
#pragma once

#include "engine/host_context.h"
#include "engine/journal.h"

namespace tsrunc::engine {

// For the `netdevice` line at `index`. A device that is not where the journal says is left alone: the kernel
// has ended it, or sent it home, together with its network namespace.
[[nodiscard]] sys::Failure undo_net_device(HostContext& context, const Journal& journal, size_t index);

}  // namespace tsrunc::engine
