// config-linux.md "Control groups".
import { cgroupVersion, digits } from '../../lib'
import { ABSENT, refuses } from './rows'

const at = (part: string): string => `/linux/resources/${part}`

refuses('config-linux.md#control-groups', [
  ['/linux/resources', []],
  ['/linux/resources', 'none'],
])

const rule = { [at('devices')]: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }] }

refuses('config-linux.md#allowed-device-list', [
  [at('devices'), {}],
  [at('devices/0'), 'c 1:3 rw'],
  [at('devices/0/allow'), ABSENT, rule],
  [at('devices/0/allow'), 'true', rule],
  [at('devices/0/type'), 'x', rule],
  [at('devices/0/type'), 'p', rule],
  [at('devices/0/major'), '1', rule],
  [at('devices/0/minor'), 1.5, rule],
  [at('devices/0/access'), 'x', rule],
  [at('devices/0/access'), 'RW', rule],
])

refuses('config-linux.md#memory', [
  [at('memory'), 1],
  [at('memory/limit'), '64M'],
  [at('memory/limit'), 1.5],
  [at('memory/limit'), -2],
  [at('memory/limit'), digits('9223372036854775808')],
  [at('memory/reservation'), true],
  [at('memory/swap'), 'unlimited'],
  [at('memory/swap'), 33554432, { [at('memory')]: { limit: 67108864 } }],
  [at('memory/swappiness'), 101],
  [at('memory/swappiness'), -1],
  [at('memory/disableOOMKiller'), 'no'],
  [at('memory/checkBeforeUpdate'), 1],
])

refuses('config-linux.md#cpu', [
  [at('cpu'), []],
  [at('cpu/shares'), -1],
  [at('cpu/shares'), '1024'],
  [at('cpu/quota'), 0.5],
  [at('cpu/quota'), 1],
  [at('cpu/period'), -1],
  [at('cpu/period'), 1],
  [at('cpu/burst'), 20000, { [at('cpu')]: { quota: 10000, period: 100000 } }],
  [at('cpu/realtimeRuntime'), '1'],
  [at('cpu/cpus'), 0],
  [at('cpu/cpus'), 'all'],
  [at('cpu/cpus'), '3-1'],
  [at('cpu/cpus'), '8191'],
  [at('cpu/mems'), '0,x'],
  [at('cpu/mems'), '1023'],
  [at('cpu/idle'), 2],
])

refuses('config-linux.md#pids', [
  [at('pids'), 5],
  [at('pids/limit'), ABSENT, { [at('pids')]: {} }],
  [at('pids/limit'), '10'],
  [at('pids/limit'), 1.5],
  [at('pids/limit'), -2],
])

const throttle = (name: string): Readonly<Record<string, unknown>> => ({
  [at(`blockIO/${name}`)]: [{ major: 7, minor: 0, rate: 1000 }],
})

refuses('config-linux.md#block-io', [
  [at('blockIO'), 5],
  [at('blockIO/weight'), 9],
  [at('blockIO/weight'), 1001],
  [at('blockIO/weight'), '500'],
  [at('blockIO/weightDevice'), {}],
  [at('blockIO/weightDevice/0/major'), ABSENT, { [at('blockIO/weightDevice')]: [{ minor: 0, weight: 100 }] }],
  [at('blockIO/weightDevice/0/weight'), 1001, { [at('blockIO/weightDevice')]: [{ major: 7, minor: 0 }] }],
  [at('blockIO/weightDevice/0'), { major: 7, minor: 0 }],
  [at('blockIO/throttleReadBpsDevice/0/rate'), ABSENT, throttle('throttleReadBpsDevice')],
  [at('blockIO/throttleWriteBpsDevice/0/rate'), -1, throttle('throttleWriteBpsDevice')],
  [at('blockIO/throttleReadIOPSDevice/0/rate'), '1', throttle('throttleReadIOPSDevice')],
  [at('blockIO/throttleWriteIOPSDevice/0/major'), ABSENT, throttle('throttleWriteIOPSDevice')],
])

const page = { [at('hugepageLimits')]: [{ pageSize: '2MB', limit: 0 }] }

refuses('config-linux.md#huge-page-limits', [
  [at('hugepageLimits'), {}],
  [at('hugepageLimits/0/pageSize'), ABSENT, page],
  [at('hugepageLimits/0/pageSize'), 'big', page],
  [at('hugepageLimits/0/pageSize'), '3MB', page],
  [at('hugepageLimits/0/pageSize'), '2M', page],
  [at('hugepageLimits/0/pageSize'), 2097152, page],
  [at('hugepageLimits/0/limit'), ABSENT, page],
  [at('hugepageLimits/0/limit'), -1, page],
  [at('hugepageLimits/0/limit'), digits('18446744073709551616'), page],
])

refuses('config-linux.md#network', [
  [at('network'), 5],
  [at('network/classID'), -1],
  [at('network/classID'), '1'],
  [at('network/classID'), 4294967296],
  [at('network/priorities/0/name'), ABSENT, { [at('network/priorities')]: [{ priority: 1 }] }],
  [at('network/priorities/0/priority'), ABSENT, { [at('network/priorities')]: [{ name: 'lo' }] }],
])

refuses('config-linux.md#rdma', [
  [at('rdma'), []],
  [at('rdma/mlx5_1/hcaHandles'), -1],
  [at('rdma/mlx5_1/hcaObjects'), '1'],
  [at('rdma/mlx5_1'), {}],
])

refuses('config-linux.md#unified', [
  [at('unified'), []],
  [at('unified/memory.high'), 1000],
  [at('unified/..~1memory.high'), '1000'],
  ...(cgroupVersion() === 1 ? ([[at('unified/memory.high'), '1000']] as const) : []),
])
