import { rulesOf } from './requirement'

/** `linux` of config.json but for cgroups and seccomp. */
export const LINUX = [
  ...rulesOf('config-linux.md#namespaces', [
    ['NS-1a', 'MUST', 'A namespace without path is a new one.'],
    ['NS-1b', 'MUST', 'A type that is not listed is that of the caller.'],
    ['NS-1c', 'ERROR', 'A type is listed twice.'],
    ['NS-1d', 'ERROR', 'A type is absent or unknown.'],
    ['NS-2a', 'MUST', 'A namespace with path is joined.'],
    ['NS-2b', 'ERROR', 'path is not absolute, or no namespace of the type.'],
  ]),
  ...rulesOf('config-linux.md#user-namespace-mappings', [
    ['NS-3a', 'MUST', 'uidMappings and gidMappings are the maps of the user namespace.'],
    ['NS-3b', 'SHOULD', 'The owners of files are not changed.'],
    ['NS-3c', 'ERROR', 'Mappings without user namespace, a new one without them, or numbers that the kernel refuses.'],
  ]),
  ...rulesOf('config-linux.md#offset-for-time-namespace', [
    ['NS-4a', 'MUST', 'timeOffsets are added to the clocks in the container.'],
    ['NS-4b', 'ERROR', 'timeOffsets without a new time namespace, of an unknown clock, or out of range.'],
  ]),
  ...rulesOf('config-linux.md#devices', [
    ['DEV-1a', 'MUST', 'Devices are available, with type, numbers, fileMode, uid and gid.'],
    ['DEV-1b', 'MUST', 'path is anywhere in the container, and is made inside of its root only.'],
    ['DEV-1c', 'ERROR', 'Something else is at path.'],
    ['DEV-1d', 'ERROR', 'A device lacks type, path or numbers, or has values that are not valid.'],
  ]),
  ...rulesOf('config-linux.md#default-devices', [
    [
      'DEV-2a',
      'MUST',
      '/dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom and /dev/tty are there and can be used.',
    ],
    ['DEV-2b', 'MUST', '/dev/console is the terminal, if there is one.'],
    ['DEV-2c', 'MUST', '/dev/ptmx is that of the pseudoterminals of the container.'],
  ]),
  ...rulesOf('runtime-linux.md', [
    ['ROOT-4', 'CALLERS', 'The root is entered by pivot_root, or as --no-pivot says; nothing above it is reachable.'],
  ]),
  ...rulesOf('runtime-linux.md#dev-symbolic-links', [
    ['DEV-3', 'MUST', '/dev/fd, /dev/stdin, /dev/stdout and /dev/stderr lead to /proc/self/fd.'],
  ]),
  ...rulesOf('runtime-linux.md#file-descriptors', [
    ['DEV-4a', 'MUST', 'The program has no descriptors but 0, 1 and 2.'],
    ['DEV-4b', 'MAY', 'More descriptors on request: LISTEN_FDS, --preserve-fds.'],
  ]),
  ...rulesOf('config-linux.md#network-devices', [
    ['NET-1a', 'MUST', 'A device is moved into the network namespace of the container, and set up.'],
    ['NET-1b', 'MUST', 'name renames it, a template with %d included.'],
    ['NET-1c', 'MUST', 'Attributes and permanent addresses of global scope are kept.'],
    ['NET-1d', 'MUST', 'The runtime does not move it back.'],
    ['NET-1e', 'ERROR', 'The device does not exist or cannot be moved, or its name is taken or not valid.'],
    ['NET-1f', 'ERROR', 'The container has no network namespace of its own.'],
  ]),
  ...rulesOf('config-linux.md#intelrdt', [
    ['RDT-1a', 'MUST', 'The container is in the resctrl class closID, "/" being the default one, or one of its own.'],
    ['RDT-1b', 'MUST', 'l3CacheSchema, memBwSchema and schemata are written to it, in this order.'],
    ['RDT-1c', 'MUST', 'A directory that the runtime made is removed by delete, and no other.'],
    ['RDT-1d', 'MUST', 'enableMonitoring makes a monitoring group.'],
    ['RDT-1e', 'MUST', 'Without intelRdt nothing in resctrl is touched.'],
    [
      'RDT-1f',
      'ERROR',
      'resctrl is not mounted, a closID without schemas does not exist, or the schemas of one that exists differ.',
    ],
    ['RDT-1g', 'ERROR', 'closID or a schema is not valid.'],
  ]),
  ...rulesOf('config-linux.md#memory-policy', [
    ['MPL-1a', 'MUST', 'memoryPolicy is that of the program.'],
    ['MPL-1b', 'ERROR', 'mode or a flag is unknown, or nodes do not go with the mode.'],
  ]),
  ...rulesOf('config-linux.md#sysctl', [
    ['SYS-1a', 'MUST', 'sysctl are set in the namespaces of the container.'],
    ['SYS-1b', 'ERROR', 'The sysctl does not exist, or refuses the value.'],
    ['SYS-1c', 'CALLERS', 'A sysctl of the host, or of a namespace that the container shares, is refused.'],
  ]),
  ...rulesOf('config-linux.md#rootfs-mount-propagation', [
    ['LNX-1a', 'MUST', 'rootfsPropagation is that of the root mount.'],
    ['LNX-1b', 'ERROR', 'rootfsPropagation is unknown.'],
  ]),
  ...rulesOf('config-linux.md#masked-paths', [
    ['LNX-2a', 'MUST', 'maskedPaths cannot be read inside.'],
    ['LNX-2b', 'ERROR', 'A masked path is not absolute.'],
    ['LNX-2c', 'CALLERS', 'A masked path that does not exist is passed over.'],
  ]),
  ...rulesOf('config-linux.md#readonly-paths', [
    ['LNX-3a', 'MUST', 'readonlyPaths cannot be written inside.'],
    ['LNX-3b', 'ERROR', 'A read-only path is not absolute.'],
    ['LNX-3c', 'CALLERS', 'A read-only path that does not exist is passed over.'],
    ['LNX-6', 'CALLERS', 'Masked and read-only paths are refused without a mount namespace.'],
  ]),
  ...rulesOf('config-linux.md#mount-label', [
    ['LNX-4a', 'MUST', 'mountLabel is the SELinux context of the mounts.'],
    ['LNX-4b', 'ERROR', 'mountLabel where the kernel has no SELinux, or does not know the label.'],
  ]),
  ...rulesOf('config-linux.md#personality', [
    ['LNX-5a', 'MUST', 'personality is that of the program.'],
    ['LNX-5b', 'ERROR', 'domain is unknown, or a flag is given (none is valid).'],
  ]),
]
