// Limits that a planner plans.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  callRuntime,
  cgroupDirectory,
  cgroupVersion,
  deepEqual,
  delay,
  equal,
  eventually,
  launch,
  match,
  notEqual,
  readCgroup,
  requires,
  requiresController,
  sandbox,
  scratch,
  startPlanner,
  coldTest as test,
} from '../../lib'
import { greets, impostor, mode, ONLY, reply, trueBundle } from './planner-talk'

/** A container whose limits can be changed. */
const limited = async (): Promise<Bundle> => {
  requires('root')
  requiresController('memory', 'pids', 'cpu')
  const b = await trueBundle()
  await b.create(mode('off'))
  return b
}

const limitsOf = (b: Bundle): readonly string[] => [
  readCgroup('memory', b.id, cgroupVersion() === 2 ? 'memory.max' : 'memory.limit_in_bytes'),
  readCgroup('pids', b.id, 'pids.max'),
]

/** `update` with words, and with a pipe of `input` as its standard input. */
const update = (planner: string, words: readonly string[], input: string, within: readonly string[] = []) => {
  const file = scratch('input')
  writeFileSync(file, input)
  const piped = ['sh', '-c', 'file=$1; shift; cat "$file" | "$@"', 'sh', file, ...within]
  return callRuntime(['--planner', planner, 'update', ...words], { within: piped })
}

const NO_NODE = ['prlimit', '--as=67108864']

test('tsrunc planner: update is planned by it too, and needs no node', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const json = (memory: number, processes: number): string =>
    JSON.stringify({ memory: { limit: memory << 20 }, pids: { limit: processes } })
  const file = scratch('resources.json')
  writeFileSync(file, json(48, 11))
  const calls: readonly (readonly [words: readonly string[], input: string, limits: readonly [number, string]])[] = [
    [['--memory', '64m', b.id, '--pids-limit=9'], '', [64, '9']],
    [['--resources', '-', b.id], json(56, 10), [56, '10']],
    [['-r', file, b.id], '', [48, '11']],
    // Its plan depends on no limit in force.
    [['--pids-limit', '12', b.id], '', [48, '12']],
  ]
  for (const [words, input, [memory, processes]] of calls) {
    const before = limitsOf(b)
    notEqual((await update('off', words, input, NO_NODE)).status, 0)
    deepEqual(limitsOf(b), before)
    const { status, stderr } = await update('on', words, input, NO_NODE)
    deepEqual([status, stderr], [0, ''])
    deepEqual(limitsOf(b), [String(memory << 20), processes])
  }
})

test('tsrunc planner: an error of update is told in the same words, of its standard input too', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const before = limitsOf(b)
  for (const [words, input] of [
    [['--resources', '-', b.id], '{"memory":{"limit":"much"}}'],
    [['--resources', '-', b.id], '{"memory":{"limit":1'],
    [['--resources', '-', b.id], ''],
    [['--resources', '-', '--memory', '64m', b.id], '{}'],
    [['--resources', '/', b.id], ''],
    [['--cpu-quota', '5', '--pids-limit', '7', b.id], ''],
    [['--memory', '64m', 'nobody'], ''],
    [['--pids-limit', 'many', b.id], ''],
  ] as const) {
    const warm = await update('on', words, input)
    const cold = await update('off', words, input)
    deepEqual([warm.stderr, warm.status], [cold.stderr, 1])
    notEqual(warm.stderr, '')
    deepEqual(limitsOf(b), before)
  }
})

/** flock(1) by a test: whether nobody has locked the container. */
const isFree = (b: Bundle): boolean => {
  const path = join(sandbox().marks.root, b.id)
  return spawnSync('flock', ['--nonblock', path, 'true']).status === 0
}

test('tsrunc planner: update has locked the container when it tells the limits in force', ONLY, async () => {
  const b = await limited()
  const free: boolean[] = []
  await impostor((socket) => {
    greets(socket)
    let asked = false
    socket.on('data', () => {
      free.push(isFree(b))
      const question = Buffer.from(`l${cgroupDirectory('pids', b.id)}/pids.max\0`)
      socket.write(asked ? reply(2, [0, 0, 0, 0]) : Buffer.concat([reply(3, [0, 0, 0, question.length]), question]))
      asked = true
    })
  })
  const { status, stderr } = await update('on', ['--pids-limit', '9', b.id], '')
  deepEqual([status, stderr], [0, ''])
  equal(limitsOf(b)[1], '9')
  deepEqual([free[0], free.at(-1)], [true, false])
})

test('tsrunc planner: update tells what is wrong with its words before it reads its standard input', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const fifo = scratch('fifo')
  execFileSync('mkfifo', [fifo])
  // A pipe that nobody writes to and that does not end.
  const within = ['sh', '-c', 'fifo=$1; shift; exec "$@" <>"$fifo"', 'sh', fifo]
  for (const words of [
    ['--memory-mode', 'bad'],
    ['--memory', '64m'],
    ['--log-format', 'bad'],
  ]) {
    const call = ['update', ...words, '--resources', '-', b.id]
    const { status, stderr } = await callRuntime(['--planner', 'on', ...call], { within })
    deepEqual([status, stderr.includes('bad') || stderr.includes('cannot be given together')], [1, true])
  }
})

test('tsrunc planner: a plan of another verb is refused', ONLY, async () => {
  const b = await limited()
  const before = limitsOf(b)
  const plan = readFileSync(join(sandbox().marks.root, b.id, 'plan')).subarray(0, -4)
  await impostor((socket) => {
    greets(socket)
    socket.on('data', () => socket.end(Buffer.concat([reply(1, [0, 0, 0, plan.length]), plan])))
  })
  const { status, stderr } = await update('on', ['--pids-limit', '9', b.id], '')
  equal(status, 1)
  match(stderr, /the plan is one of another verb/)
  deepEqual(limitsOf(b), before)
})

test('tsrunc planner: of files update tells a planner none but those of cgroups', ONLY, async () => {
  const b = await limited()
  const said: string[] = []
  const fifo = scratch('fifo')
  execFileSync('mkfifo', [fifo])
  let question = Buffer.alloc(0)
  await impostor((socket) => {
    greets(socket)
    let asked = false
    socket.on('data', (data) => {
      if (asked) said.push(data.toString('latin1'))
      else socket.write(Buffer.concat([reply(3, [0, 0, 0, question.length]), question]))
      asked = true
    })
  })
  for (const path of [fifo, '/etc/passwd', '/dev/zero', '/sys/fs/cgroup']) {
    question = Buffer.from(`l${path}\0`)
    const { status, stderr } = await update('on', ['--pids-limit', '9', b.id], '')
    deepEqual([status, stderr, said], [0, '', []])
  }
})

test('tsrunc planner: update waits for its turn as without one', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const holder = launch([
    'flock',
    '--no-fork',
    join(sandbox().marks.root, b.id),
    'sh',
    '-c',
    'echo locked; exec sleep 1000',
  ])
  await eventually('the lock', () => holder.stdout() === 'locked\n')
  const before = limitsOf(b)
  const waiting = update('on', ['--memory', '64m', '--pids-limit', '9', b.id], '')
  await delay(500)
  deepEqual(limitsOf(b), before)
  await holder.kill('SIGKILL')
  deepEqual((await waiting).status, 0)
  deepEqual(limitsOf(b), [String(64 << 20), '9'])
})
