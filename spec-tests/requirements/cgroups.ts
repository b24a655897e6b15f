import { rulesOf } from './requirement'

/** `linux.cgroupsPath` and `linux.resources` of config.json. */
export const CGROUPS = [
  ...rulesOf('config-linux.md#cgroups-path', [
    [
      'CG-1a',
      'MUST',
      'An absolute cgroupsPath starts where the cgroups are mounted; the same value is the same place.',
    ],
    [
      'CG-1b',
      'MAY',
      'A relative cgroupsPath starts at a place that the runtime chooses; without one the runtime chooses.',
    ],
    ['CG-1c', 'ERROR', 'A cgroupsPath that the runtime does not take.'],
    ['CG-1d', 'CALLERS', 'With the systemd manager cgroupsPath is slice:prefix:name.'],
  ]),
  ...rulesOf('config-linux.md#control-groups', [
    ['CG-2', 'ERROR', 'create in a cgroup that is frozen or not empty.'],
    ['CG-13a', 'MAY', 'Resources in terms of v1 are converted for v2.'],
    ['CG-13b', 'ERROR', 'A resource that cannot be converted, or whose controller is missing.'],
    ['CG-14', 'MAY', 'Controllers beyond those that are needed are attached.'],
  ]),
  ...rulesOf('config-linux.md#cgroup-ownership', [
    [
      'CG-3a',
      'MAY',
      'v2, a cgroup namespace of its own, /sys/fs/cgroup writable: the cgroup belongs to the user of the process.',
    ],
    [
      'CG-3b',
      'MUST',
      'Only the directory and the files of /sys/kernel/cgroup/delegate, or their fallback, change owner.',
    ],
    ['CG-3c', 'SHOULD', 'Otherwise, and on v1, no owner is changed.'],
  ]),
  ...rulesOf('config-linux.md#allowed-device-list', [
    ['CG-4a', 'MUST', 'Rules are applied in the listed order.'],
    ['CG-4b', 'MUST', 'What is absent in a rule stands for all.'],
    ['CG-4c', 'ERROR', 'A rule lacks allow, or has an unknown type or access.'],
  ]),
  ...rulesOf('config-linux.md#memory', [
    ['CG-5a', 'MUST', 'limit.'],
    ['CG-5b', 'MUST', 'reservation.'],
    ['CG-5c', 'MUST', 'swap: memory and swap together.'],
    ['CG-5d', 'MUST', 'kernel and kernelTCP, where the kernel has them.'],
    ['CG-5e', 'MUST', 'swappiness.'],
    ['CG-5f', 'MUST', 'disableOOMKiller.'],
    ['CG-5g', 'MUST', 'useHierarchy.'],
    ['CG-5h', 'MUST', 'checkBeforeUpdate refuses a limit below what is used.'],
    ['CG-5i', 'ERROR', 'A value is out of range, or swap does not go with limit.'],
  ]),
  ...rulesOf('config-linux.md#cpu', [
    ['CG-6a', 'MUST', 'shares.'],
    ['CG-6b', 'MUST', 'quota and period.'],
    ['CG-6c', 'MUST', 'burst.'],
    ['CG-6d', 'MUST', 'realtimeRuntime and realtimePeriod, where the kernel has them.'],
    ['CG-6e', 'MUST', 'cpus and mems.'],
    ['CG-6f', 'MUST', 'idle.'],
    ['CG-6g', 'ERROR', 'A value is out of range, burst is above quota, or a list is none.'],
  ]),
  ...rulesOf('config-linux.md#pids', [
    ['CG-7a', 'MUST', 'limit is the number of tasks, -1 is unlimited.'],
    ['CG-7b', 'MUST', 'A limit of 0 is a limit (since 1.3.0).'],
    ['CG-7c', 'ERROR', 'limit is absent or out of range.'],
  ]),
  ...rulesOf('config-linux.md#block-io', [
    ['CG-8a', 'MUST', 'weight, leafWeight and weightDevice.'],
    [
      'CG-8b',
      'MUST',
      'throttleReadBpsDevice, throttleWriteBpsDevice, throttleReadIOPSDevice and throttleWriteIOPSDevice.',
    ],
    ['CG-8c', 'ERROR', 'A weight is out of range, or an entry is not complete.'],
  ]),
  ...rulesOf('config-linux.md#huge-page-limits', [
    ['CG-9a', 'MUST', 'limit of each page size, reservations included where the kernel accounts them.'],
    ['CG-9b', 'ERROR', 'pageSize is none of the kernel, or a value is absent.'],
  ]),
  ...rulesOf('config-linux.md#network', [
    ['CG-10a', 'MUST', 'classID and priorities, where v1 has the controllers.'],
    ['CG-10b', 'ERROR', 'classID or priorities are not valid, or the controller is missing.'],
  ]),
  ...rulesOf('config-linux.md#rdma', [
    ['CG-11a', 'MUST', 'hcaHandles and hcaObjects of each device, where the kernel has the controller.'],
    ['CG-11b', 'ERROR', 'An entry is empty, a value is not valid, or the controller is missing.'],
  ]),
  ...rulesOf('config-linux.md#unified', [
    ['CG-12a', 'MUST', 'Each file is written, also one that the runtime does not know; its controller is enabled.'],
    ['CG-12b', 'ERROR', 'The controller is not available, the host has no v2, or the key is no name of a file.'],
  ]),
]
