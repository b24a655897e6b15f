import { bad, bundle, deepEqual, digits, match, requires, test } from '../../lib'

const KINDS = [
  'RLIMIT_AS',
  'RLIMIT_CORE',
  'RLIMIT_CPU',
  'RLIMIT_DATA',
  'RLIMIT_FSIZE',
  'RLIMIT_LOCKS',
  'RLIMIT_MEMLOCK',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_NOFILE',
  'RLIMIT_NPROC',
  'RLIMIT_RSS',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
  'RLIMIT_SIGPENDING',
  'RLIMIT_STACK',
] as const

/** Within what an unprivileged process could ask for, yet unlike the default. */
const VALUES: Readonly<Record<string, readonly [number, number]>> = {
  RLIMIT_AS: [1099511627776, 2199023255552],
  RLIMIT_CORE: [0, 0],
  RLIMIT_NICE: [0, 0],
  RLIMIT_RTPRIO: [0, 0],
  RLIMIT_MEMLOCK: [32768, 65536],
  RLIMIT_MSGQUEUE: [4096, 8192],
  RLIMIT_NOFILE: [100, 200],
  RLIMIT_NPROC: [5001, 6002],
  RLIMIT_SIGPENDING: [5001, 6002],
}

for (const kind of KINDS) {
  test(`config.md#posix-process [PRC-6a]: getrlimit(3) afterwards equals the values of ${kind}`, async () => {
    const [soft, hard] = VALUES[kind] ?? [10_000_001, 20_000_002]
    const b = await bundle((c) => {
      c.process.rlimits = [{ type: kind, soft, hard }]
    })
    deepEqual((await b.report()).rlimits[kind], [String(soft), String(hard)])
  })
}

test('config.md#posix-process [PRC-6a]: a limit of 2^64-1 is no limit', async () => {
  const infinity = '18446744073709551615'
  const b = await bundle((c) => {
    c.process.rlimits = [{ type: 'RLIMIT_FSIZE', soft: 4096000, hard: digits(infinity) }]
  })
  deepEqual((await b.report()).rlimits['RLIMIT_FSIZE'], ['4096000', infinity])
})

test('config.md#posix-process [PRC-6a]: a limit beyond 2^53 keeps every digit', async () => {
  const b = await bundle((c) => {
    c.process.rlimits = [{ type: 'RLIMIT_DATA', soft: digits('9007199254740993'), hard: digits('9223372036854775807') }]
  })
  deepEqual((await b.report()).rlimits['RLIMIT_DATA'], ['9007199254740993', '9223372036854775807'])
})

test("config.md#posix-process [PRC-6d]: a limit that is not named stays as the caller's", async () => {
  const b = await bundle((c) => {
    c.process.rlimits = bad(undefined)
  })
  const outcome = await b.report()
  // The file descriptors of this very process, which the tests' own runner may have changed softly.
  match(outcome.rlimits['RLIMIT_CORE']?.[0] ?? '', /^0$/)
})

test('config.md#posix-process [PRC-6c]: a hard limit above that of the caller needs CAP_SYS_RESOURCE', async () => {
  requires('CAP_SYS_RESOURCE')
  const b = await bundle((c) => {
    c.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1048576, hard: 1048576 }]
  })
  deepEqual((await b.report()).rlimits['RLIMIT_NOFILE'], ['1048576', '1048576'])
})

test('config.md#posix-process [PRC-6c]: the runtime MUST generate an error for any type that it cannot map', async () => {
  const b = await bundle((c) => {
    c.process.rlimits = [{ type: 'RLIMIT_NONSENSE', soft: 1, hard: 1 }]
  })
  await b.refused(/RLIMIT_NONSENSE|rlimit/i)
})

test('config.md#posix-process [PRC-6b]: a duplicate type MUST be an error', async () => {
  const b = await bundle((c) => {
    c.process.rlimits = [
      { type: 'RLIMIT_NOFILE', soft: 100, hard: 100 },
      { type: 'RLIMIT_NOFILE', soft: 200, hard: 200 },
    ]
  })
  await b.refused(/RLIMIT_NOFILE|rlimit/i)
})

test('config.md#posix-process [PRC-6c]: soft above hard is refused', async () => {
  const b = await bundle((c) => {
    c.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 300, hard: 100 }]
  })
  await b.refused(/rlimit/i)
})
