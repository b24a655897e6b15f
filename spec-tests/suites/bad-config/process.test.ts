// config.md "Process" with its parts for POSIX platforms and Linux.
import { digits } from '../../lib'
import { ABSENT, refuses, takes } from './rows'

refuses('config.md#process', [
  ['/process', []],
  ['/process', 'sh'],
  ['/process/terminal', 'no'],
  ['/process/terminal', 0],
  ['/process/consoleSize', [24, 80]],
  ['/process/consoleSize/height', ABSENT, { '/process/consoleSize': { width: 80 } }],
  ['/process/consoleSize/width', ABSENT, { '/process/consoleSize': { height: 24 } }],
  ['/process/consoleSize/height', -1, { '/process/consoleSize': { width: 80 } }],
  ['/process/consoleSize/height', '24', { '/process/consoleSize': { width: 80 } }],
  ['/process/cwd', ABSENT],
  ['/process/cwd', ''],
  ['/process/cwd', 'tmp'],
  ['/process/cwd', 3],
  ['/process/cwd', '/t\0mp'],
  ['/process/args', ABSENT],
  ['/process/args', []],
  ['/process/args', '/bin/probe report'],
  ['/process/args/1', 2],
  ['/process/args/1', 'rep\0ort'],
  ['/process/args/1', {}],
  ['/process/env', { PATH: '/bin' }],
  ['/process/env/2', 3],
  ['/process/env/2', 'NO_VALUE'],
  ['/process/env/2', '=value'],
  ['/process/env/2', 'A=\0'],
])

refuses('config.md#posix-platform-user', [
  ['/process/user', 'root'],
  ['/process/user', []],
  ['/process/user/uid', -1],
  ['/process/user/uid', '0'],
  ['/process/user/uid', 0.5],
  ['/process/user/uid', 4294967295],
  ['/process/user/uid', 4294967296],
  ['/process/user/uid', digits('18446744073709551616')],
  ['/process/user/gid', -1],
  ['/process/user/gid', true],
  ['/process/user/gid', 4294967295],
  ['/process/user/gid', 4294967296],
  ['/process/user/umask', -1],
  ['/process/user/umask', '0022'],
  ['/process/user/additionalGids', 5],
  ['/process/user/additionalGids/0', -1],
  ['/process/user/additionalGids/0', 'wheel'],
  ['/process/user/additionalGids/0', 4294967296],
])

const core = { '/process/rlimits': [{ type: 'RLIMIT_CORE', soft: 0, hard: 10 }] }

refuses('config.md#posix-process', [
  ['/process/rlimits', {}],
  ['/process/rlimits/0', 'RLIMIT_CORE=0'],
  ['/process/rlimits/0/type', ABSENT, core],
  ['/process/rlimits/0/type', 'RLIMIT_NO_SUCH', core],
  ['/process/rlimits/0/type', 'core', core],
  ['/process/rlimits/0/type', 4, core],
  ['/process/rlimits/0/soft', ABSENT, core],
  ['/process/rlimits/0/hard', ABSENT, core],
  ['/process/rlimits/0/soft', 11, core],
  ['/process/rlimits/0/soft', -1, core],
  ['/process/rlimits/0/soft', '0', core],
  ['/process/rlimits/0/hard', 10.5, core],
  ['/process/rlimits/0/hard', digits('18446744073709551616'), core],
  [
    '/process/rlimits/1/type',
    'RLIMIT_CORE',
    {
      '/process/rlimits': [
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
        { soft: 1, hard: 1 },
      ],
    },
  ],
])

takes('config.md#posix-process [PRC-6a GEN-6]', [
  [
    '/process/rlimits/0/hard',
    digits('18446744073709551615'),
    { '/process/rlimits': [{ type: 'RLIMIT_CORE', soft: 0 }] },
  ],
])

const scheduler = (others: object): Readonly<Record<string, unknown>> => ({
  '/process/scheduler': { policy: 'SCHED_OTHER', ...others },
})

refuses('config.md#linux-process', [
  ['/process/apparmorProfile', 1],
  ['/process/apparmorProfile', 'no-such-profile'],
  ['/process/selinuxLabel', false],
  ['/process/selinuxLabel', 'system_u:system_r:no_such_t:s0'],
  ['/process/noNewPrivileges', 'true'],
  ['/process/oomScoreAdj', 1001],
  ['/process/oomScoreAdj', -1001],
  ['/process/oomScoreAdj', '5'],
  ['/process/oomScoreAdj', 0.5],
  ['/process/capabilities', ['CAP_KILL']],
  ['/process/capabilities/bounding', 'CAP_KILL'],
  ['/process/capabilities/effective/0', 5],
  ['/process/capabilities/ambient', {}],
  ['/process/capabilities/inheritable/0', ['CAP_KILL']],
  ['/process/capabilities/permitted/0', 'CAP_\0'],
  ['/process/scheduler', 'SCHED_OTHER'],
  ['/process/scheduler/policy', ABSENT, scheduler({ nice: 5 })],
  ['/process/scheduler/policy', 'SCHED_NO_SUCH'],
  ['/process/scheduler/policy', 'other'],
  ['/process/scheduler/nice', 20, scheduler({})],
  ['/process/scheduler/nice', -21, scheduler({})],
  ['/process/scheduler/nice', '5', scheduler({})],
  ['/process/scheduler/priority', 10, scheduler({})],
  ['/process/scheduler/priority', 100, scheduler({ policy: 'SCHED_FIFO' })],
  ['/process/scheduler/flags/0', 'SCHED_FLAG_NO_SUCH', scheduler({})],
  ['/process/scheduler/flags', 'SCHED_FLAG_RECLAIM', scheduler({})],
  ['/process/scheduler/runtime', 1000, scheduler({})],
  ['/process/scheduler/deadline', -1, scheduler({ policy: 'SCHED_DEADLINE' })],
  ['/process/ioPriority', 5],
  ['/process/ioPriority/class', ABSENT, { '/process/ioPriority': { priority: 3 } }],
  ['/process/ioPriority/class', 'IOPRIO_CLASS_NO_SUCH', { '/process/ioPriority': { priority: 3 } }],
  ['/process/ioPriority/priority', 8, { '/process/ioPriority': { class: 'IOPRIO_CLASS_BE' } }],
  ['/process/ioPriority/priority', -1, { '/process/ioPriority': { class: 'IOPRIO_CLASS_BE' } }],
  ['/process/execCPUAffinity', '0'],
  ['/process/execCPUAffinity/initial', 0],
  ['/process/execCPUAffinity/initial', 'a-b'],
  ['/process/execCPUAffinity/final', '3-1'],
])
