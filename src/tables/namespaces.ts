/** namespaces(7): the spec's type to the flag of clone3(2) and the name in /proc/PID/ns. */
export const NAMESPACES = {
  cgroup: { flag: 0x02000000, file: 'cgroup' },
  ipc: { flag: 0x08000000, file: 'ipc' },
  mount: { flag: 0x00020000, file: 'mnt' },
  network: { flag: 0x40000000, file: 'net' },
  pid: { flag: 0x20000000, file: 'pid' },
  time: { flag: 0x00000080, file: 'time' },
  user: { flag: 0x10000000, file: 'user' },
  uts: { flag: 0x04000000, file: 'uts' },
} as const satisfies Readonly<Record<string, { readonly flag: number; readonly file: string }>>
