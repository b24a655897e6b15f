import type { OptionTable, OptionValues } from './options'

const number = (description: string) => ({ type: 'string', value: 'N', description }) as const

/** Flags of runc and crun, and two of our own. */
export const UPDATE_OPTIONS = {
  resources: {
    type: 'string',
    short: 'r',
    value: 'FILE',
    description: 'read the new limits as JSON of linux.resources; - is the standard input. No other limit may be given',
  },
  'blkio-weight': number('weight of block IO, from 10 to 1000'),
  'cpu-period': number('period of the CPU limit in microseconds'),
  'cpu-quota': number('CPU time in each period in microseconds; -1 is no limit'),
  'cpu-burst': number('CPU time in microseconds that may be used beyond the quota, saved from earlier periods'),
  'cpu-share': number('share of CPU time against other containers, from 2 to 262144'),
  'cpu-rt-period': number('period of the limit of realtime processes in microseconds'),
  'cpu-rt-runtime': number('CPU time of realtime processes in each period in microseconds'),
  'cpu-idle': number('1: run only when the CPU is idle; 0: as usual'),
  'cpuset-cpus': { type: 'string', value: 'LIST', description: 'CPUs to use, as in 0-3,7' },
  'cpuset-mems': { type: 'string', value: 'LIST', description: 'memory nodes to use' },
  'kernel-memory': { type: 'string', value: 'BYTES', description: 'ignored: the limit of memory includes it' },
  'kernel-memory-tcp': { type: 'string', value: 'BYTES', description: 'memory of TCP buffers (cgroup v1)' },
  memory: { type: 'string', value: 'BYTES', description: 'limit of memory, as in 64m; -1 is no limit' },
  'memory-mode': {
    type: 'string',
    value: 'MODE',
    choices: ['plain', 'safe'],
    description: 'safe: a limit below what is used takes effect by reclaim, and never kills (cgroup v2)',
  },
  'memory-reservation': { type: 'string', value: 'BYTES', description: 'memory that is left under pressure' },
  'memory-swap': { type: 'string', value: 'BYTES', description: 'limit of memory and swap together; -1 is no limit' },
  'pids-limit': number('limit of processes; -1 is no limit'),
  'l3-cache-schema': { type: 'string', value: 'SCHEMA', description: 'schema of the L3 cache (resctrl)' },
  'mem-bw-schema': { type: 'string', value: 'SCHEMA', description: 'schema of memory bandwidth (resctrl)' },
  'dry-run': { type: 'boolean', description: 'print the plan as JSON and change nothing' },
} as const satisfies OptionTable

export type UpdateValues = OptionValues<typeof UPDATE_OPTIONS>
