// config.md "Linux Process": scheduler, ioPriority, execCPUAffinity; config-linux.md "Memory policy".
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import {
  type AnswersTo,
  type Bundle,
  bundle,
  type Config,
  cgroupVersion,
  deepEqual,
  equal,
  match,
  requires,
  requiresThat,
  type TestOptions,
  test,
} from '../../lib'

type Scheduler = NonNullable<Config['process']['scheduler']>
type Scheduling = AnswersTo<[['scheduling']]>[0]

/** sched.h. */
const POLICY = { OTHER: 0, FIFO: 1, RR: 2, BATCH: 3, IDLE: 5, DEADLINE: 6 } as const

/** What the versions at hand lack. */
const SCHEDULER_PEERS: TestOptions = { peers: { runc: 'since 1.2', crun: 'since 1.9' } }
const IO_PEERS: TestOptions = { peers: { runc: 'since 1.2', crun: 'since 1.9' } }
const MEMORY_PEERS: TestOptions = { peers: { runc: 'since 1.4', crun: 'since 1.25' } }

/** Run time of real-time policies, which a cgroup of version 1 has only if it is given some (CONFIG_RT_GROUP_SCHED). */
const grantRealTime = (c: Config): void => {
  if (cgroupVersion() === 1) {
    c.linux.resources.cpu = { realtimeRuntime: 5000, realtimePeriod: 1000000 }
  }
}

const scheduled = (scheduler: Scheduler, change: (c: Config) => void = () => undefined): Promise<Bundle> =>
  bundle((c) => {
    c.process.scheduler = scheduler
    grantRealTime(c)
    change(c)
  })

const seen = async (b: Bundle): Promise<Scheduling> => {
  const [scheduling] = await b.probe(['scheduling'])
  equal(scheduling.error, '')
  return scheduling
}

const userNamespace = (c: Config): void => {
  c.linux.namespaces.push({ type: 'user' })
  c.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
  c.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
}

const NICE = [
  ['SCHED_OTHER', 7],
  ['SCHED_OTHER', -7],
  ['SCHED_BATCH', 19],
  ['SCHED_BATCH', -20],
] as const

for (const [policy, nice] of NICE) {
  test(`config.md#linux-process [PRC-11a]: scheduler ${policy} with nice ${nice}`, SCHEDULER_PEERS, async () => {
    const { policy: number, nice: value } = await seen(await scheduled({ policy, nice }))
    deepEqual([number, value], [policy === 'SCHED_OTHER' ? POLICY.OTHER : POLICY.BATCH, nice])
  })
}

test('config.md#linux-process [PRC-11a]: scheduler SCHED_IDLE', SCHEDULER_PEERS, async () => {
  equal((await seen(await scheduled({ policy: 'SCHED_IDLE' }))).policy, POLICY.IDLE)
})

for (const [policy, priority] of [
  ['SCHED_FIFO', 1],
  ['SCHED_FIFO', 99],
  ['SCHED_RR', 10],
] as const) {
  test(
    `config.md#linux-process [PRC-11a]: scheduler ${policy} with priority ${priority}`,
    SCHEDULER_PEERS,
    async () => {
      const { policy: number, priority: value } = await seen(await scheduled({ policy, priority }))
      deepEqual([number, value], [policy === 'SCHED_FIFO' ? POLICY.FIFO : POLICY.RR, priority])
    },
  )
}

const DEADLINE = { policy: 'SCHED_DEADLINE', runtime: 2_000_000, deadline: 50_000_000, period: 100_000_000 } as const

test(
  'config.md#linux-process [PRC-11b]: scheduler SCHED_DEADLINE with runtime, deadline and period',
  SCHEDULER_PEERS,
  async () => {
    const { policy, runtime: run, deadline, period } = await seen(await scheduled(DEADLINE))
    deepEqual({ policy, run, deadline, period }, { policy: POLICY.DEADLINE, run: 2e6, deadline: 5e7, period: 1e8 })
  },
)

test('config.md#linux-process [PRC-11b]: scheduler SCHED_DEADLINE without a period has the deadline as its period', {
  ...SCHEDULER_PEERS,
}, async () => {
  const { period } = await seen(await scheduled({ policy: 'SCHED_DEADLINE', runtime: 2e6, deadline: 9e7 }))
  equal(period, 9e7)
})

test('config.md#linux-process [PRC-11b]: scheduler flags of SCHED_DEADLINE', SCHEDULER_PEERS, async () => {
  const flags = ['SCHED_FLAG_RECLAIM', 'SCHED_FLAG_DL_OVERRUN', 'SCHED_FLAG_RESET_ON_FORK']
  equal((await seen(await scheduled({ ...DEADLINE, flags }))).flags, 0x07)
})

test(
  'config.md#linux-process [PRC-11a]: scheduler SCHED_FLAG_RESET_ON_FORK is for the children',
  SCHEDULER_PEERS,
  async () => {
    for (const [flags, policy] of [
      [['SCHED_FLAG_RESET_ON_FORK'], POLICY.OTHER],
      [[], POLICY.RR],
    ] as const) {
      const b = await scheduled({ policy: 'SCHED_RR', priority: 5, flags: [...flags] })
      b.command(['fork-scheduling'])
      const { stdout } = await b.run()
      equal(b.answers(stdout, [['fork-scheduling']])[0].policy, policy)
      await b.delete({ flags: ['--force'] })
    }
  },
)

test('config.md#linux-process [PRC-11a]: scheduler SCHED_FLAG_KEEP_POLICY and SCHED_FLAG_KEEP_PARAMS change nothing', {
  ...SCHEDULER_PEERS,
  sometimes: true,
}, async () => {
  const flags = ['SCHED_FLAG_KEEP_POLICY', 'SCHED_FLAG_KEEP_PARAMS']
  const { policy, nice } = await seen(await scheduled({ policy: 'SCHED_BATCH', nice: 9, flags }))
  deepEqual([policy, nice], [POLICY.OTHER, 0])
})

for (const flag of ['SCHED_FLAG_UTIL_CLAMP_MIN', 'SCHED_FLAG_UTIL_CLAMP_MAX']) {
  test(`config.md#linux-process [PRC-11c]: scheduler ${flag} is applied, or refused where the kernel has it not`, {
    ...SCHEDULER_PEERS,
  }, async () => {
    const b = await scheduled({ policy: 'SCHED_OTHER', flags: [flag] })
    if (existsSync('/proc/sys/kernel/sched_util_clamp_min')) {
      await seen(b)
    } else {
      match(await b.refused(/\/process\/scheduler/), /CONFIG_UCLAMP_TASK|Operation not supported/i)
    }
  })
}

test('config.md#linux-process [PRC-11a]: without scheduler the policy is that of the caller', async () => {
  const { policy, nice, priority, flags } = await seen(await bundle())
  deepEqual([policy, nice, priority, flags], [POLICY.OTHER, 0, 0, 0])
})

test(
  'config.md#linux-process [PRC-11c]: scheduler SCHED_ISO, which no Linux has, is an error',
  SCHEDULER_PEERS,
  async () => {
    const b = await scheduled({ policy: 'SCHED_ISO' })
    await b.refused(/Linux has no SCHED_ISO.*\/process\/scheduler/)
  },
)

test('config.md#linux-process [PRC-11c]: scheduler with more run time than the CPUs have is an error', {
  ...SCHEDULER_PEERS,
}, async () => {
  const greedy = { policy: 'SCHED_DEADLINE', runtime: 90_000_000, deadline: 1e8, period: 1e8 }
  // sched(7): 95 % of each CPU is to be had.
  for (let taken = 1; taken < cpus().length; taken++) {
    const b = await scheduled(greedy)
    await b.create()
  }
  const b = await scheduled({ ...greedy, runtime: 99_999_999 })
  await b.refused(/run time left for SCHED_DEADLINE.*\/process\/scheduler/)
})

test(
  'config.md#linux-process [PRC-11a]: scheduler is set before capabilities and rights are gone',
  SCHEDULER_PEERS,
  async () => {
    const b = await scheduled({ policy: 'SCHED_FIFO', priority: 3 }, (c) => {
      c.process.user = { uid: 1234, gid: 1234 }
      c.process.capabilities = {}
      c.process.noNewPrivileges = true
      c.process.rlimits = [
        { type: 'RLIMIT_RTPRIO', soft: 0, hard: 0 },
        { type: 'RLIMIT_NICE', soft: 0, hard: 0 },
      ]
    })
    const [{ policy }, report] = await b.probe(['scheduling'], ['report'])
    deepEqual([policy, report.uids[0], report.capabilities.effective], [POLICY.FIFO, 1234, []])
  },
)

test('config.md#linux-process [PRC-11c]: scheduler is set once the process is in its cgroup', {
  peers: { ...SCHEDULER_PEERS.peers },
}, async () => {
  requires('cgroup-v1')
  requiresThat(existsSync('/sys/fs/cgroup/cpu/cpu.rt_runtime_us'), 'CONFIG_RT_GROUP_SCHED')
  // In a cgroup without run time nothing may be of a real-time policy (sched(7)); outside it could.
  const b = await bundle((c) => {
    c.process.scheduler = { policy: 'SCHED_RR', priority: 1 }
  })
  await b.refused(/realtimeRuntime.*\/process\/scheduler/)
})

test(
  'config.md#linux-process [PRC-11a PRC-12a]: scheduler and ioPriority in a user namespace',
  SCHEDULER_PEERS,
  async () => {
    requires('userns')
    for (const user of [0, 1234]) {
      const b = await scheduled({ policy: 'SCHED_RR', priority: 7 }, (c) => {
        userNamespace(c)
        c.process.user = { uid: user, gid: user }
        c.process.ioPriority = { class: 'IOPRIO_CLASS_RT', priority: 2 }
      })
      const { policy, priority, ioClass, ioPriority } = await seen(b)
      deepEqual(
        { policy, priority, ioClass, ioPriority },
        { policy: POLICY.RR, priority: 7, ioClass: 1, ioPriority: 2 },
      )
    }
  },
)

test(
  'config.md#linux-process [PRC-11c]: startContainer hooks of a SCHED_DEADLINE process',
  SCHEDULER_PEERS,
  async () => {
    // sched(7): without SCHED_FLAG_RESET_ON_FORK there is no fork(2).
    const flags = ['SCHED_FLAG_RESET_ON_FORK']
    const b = await scheduled({ ...DEADLINE, flags }, (c) => {
      c.root.readonly = false
    })
    b.config.hooks = { startContainer: [b.hook('startContainer', 'a')] }
    b.save()
    equal((await seen(b)).policy, POLICY.DEADLINE)
    equal(b.hookLines().length, 1)
    const refused = await scheduled(DEADLINE)
    refused.config.hooks = { startContainer: [refused.hook('startContainer', 'a')] }
    refused.save()
    await refused.refused(/\/process\/scheduler\/flags/)
  },
)

for (const [name, number] of [
  ['IOPRIO_CLASS_RT', 1],
  ['IOPRIO_CLASS_BE', 2],
  ['IOPRIO_CLASS_IDLE', 3],
] as const) {
  test(`config.md#linux-process [PRC-12a]: ioPriority ${name}`, IO_PEERS, async () => {
    for (const priority of [0, 7]) {
      const b = await bundle((c) => {
        c.process.ioPriority = { class: name, priority }
        c.process.capabilities = {}
        c.process.user = { uid: 1234, gid: 1234 }
      })
      const { ioClass, ioPriority } = await seen(b)
      deepEqual([ioClass, ioPriority], [number, priority])
    }
  })
}

test('config.md#linux-process [PRC-12a]: ioPriority without a priority has 0', IO_PEERS, async () => {
  const b = await bundle((c) => {
    c.process.ioPriority = { class: 'IOPRIO_CLASS_BE' }
  })
  const { ioClass, ioPriority } = await seen(b)
  deepEqual([ioClass, ioPriority], [2, 0])
})

test('config.md#linux-process [PRC-12a]: without ioPriority it is that of the caller', async () => {
  const { ioClass } = await seen(await bundle())
  equal(ioClass, 0)
})

test('config.md#linux-process [PRC-13c]: execCPUAffinity is for exec: the process of the container keeps its CPUs', async () => {
  const before = await seen(await bundle())
  const b = await bundle((c) => {
    c.process.execCPUAffinity = { initial: '0', final: '0' }
  })
  deepEqual((await seen(b)).cpus, before.cpus)
})

const numa = (): void => requiresThat(existsSync('/sys/devices/system/node/node0'), 'CONFIG_NUMA')

/** mempolicy.h. */
const MODES = {
  MPOL_DEFAULT: [0, ''],
  MPOL_PREFERRED: [1, '0'],
  MPOL_BIND: [2, '0'],
  MPOL_INTERLEAVE: [3, '0'],
  MPOL_LOCAL: [4, ''],
  MPOL_PREFERRED_MANY: [5, '0'],
  MPOL_WEIGHTED_INTERLEAVE: [6, '0'],
} as const

for (const [mode, [number, nodes]] of Object.entries(MODES)) {
  // MPOL_DEFAULT is what every process has: a runtime that ignores it passes.
  test(`config-linux.md#memory-policy [MPL-1a]: ${mode}`, { ...MEMORY_PEERS, sometimes: true }, async () => {
    numa()
    const b = await bundle((c) => {
      c.linux.memoryPolicy = { mode, nodes }
      c.process.user = { uid: 1234, gid: 1234 }
    })
    const { memoryPolicy, memoryNodes } = await seen(b)
    deepEqual([memoryPolicy, memoryNodes], [number, nodes === '' ? [] : [0]])
  })
}

test('config-linux.md#memory-policy [MPL-1a]: MPOL_PREFERRED without nodes is the local node', async () => {
  numa()
  const b = await bundle((c) => {
    c.linux.memoryPolicy = { mode: 'MPOL_PREFERRED', nodes: '' }
  })
  const { memoryNodes } = await seen(b)
  deepEqual(memoryNodes, [])
})

for (const [flag, mode, bit] of [
  ['MPOL_F_STATIC_NODES', 'MPOL_INTERLEAVE', 0x8000],
  ['MPOL_F_RELATIVE_NODES', 'MPOL_BIND', 0x4000],
  ['MPOL_F_NUMA_BALANCING', 'MPOL_BIND', 0x2000],
] as const) {
  test(`config-linux.md#memory-policy [MPL-1a]: ${flag}`, MEMORY_PEERS, async () => {
    numa()
    const b = await bundle((c) => {
      c.linux.memoryPolicy = { mode, nodes: '0', flags: [flag] }
    })
    equal((await seen(b)).memoryPolicy & 0xe000, bit)
  })
}

test('config-linux.md#memory-policy [MPL-1b]: a node that is not there is an error', MEMORY_PEERS, async () => {
  numa()
  const b = await bundle((c) => {
    c.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '1023' }
  })
  await b.refused(/MPOL_BIND of nodes "1023".*has_memory.*\/linux\/memoryPolicy/)
})

test(
  'config-linux.md#memory-policy [MPL-1b]: a flag that does not fit the mode is an error',
  MEMORY_PEERS,
  async () => {
    numa()
    const b = await bundle((c) => {
      c.linux.memoryPolicy = { mode: 'MPOL_INTERLEAVE', nodes: '0', flags: ['MPOL_F_NUMA_BALANCING'] }
    })
    await b.refused(/refuses this mode.*\/linux\/memoryPolicy/)
  },
)

test('config-linux.md#memory-policy [MPL-1a]: without it the policy is that of the caller', async () => {
  equal((await seen(await bundle())).memoryPolicy, 0)
})
