// Planners and callers that are hostile, slow or dying: they cost others time, and nothing else.
import { execFileSync } from 'node:child_process'
import { chownSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import {
  deepEqual,
  delay,
  equal,
  eventually,
  isAlive,
  match,
  ok,
  requires,
  sandbox,
  scratch,
  startPlanner,
  coldTest as test,
} from '../../lib'
import { GREETING, greets, impostor, mode, ONLY, reply, socketPath, trueBundle } from './planner-talk'

const NOBODY = 65534

const HOSTILE: Readonly<Record<string, (socket: Socket) => void>> = {
  'says nothing': () => undefined,
  'closes at once': (socket) => socket.destroy(),
  'greets and says nothing': (socket) => greets(socket),
  'greets with garbage': (socket) => socket.end(Buffer.alloc(4096, 0x41)),
  'answers garbage': (socket) => greets(socket, Buffer.alloc(4096, 0x41)),
  'promises more bytes than there are': (socket) => greets(socket, reply(1, [0, 0, 0, 0xffffffff])),
  'stops in the middle of a plan': (socket) => {
    greets(socket, reply(1, [0, 0, 0, 100]), Buffer.alloc(50))
    socket.end()
  },
  'asks without end': (socket) => {
    greets(socket)
    socket.on('data', () => socket.write(Buffer.concat([reply(3, [0, 0, 0, 7]), Buffer.from('d/proc\0')])))
  },
  'sends a byte at a time': (socket) => {
    const timer = setInterval(() => socket.write('t'), 5)
    socket.on('close', () => clearInterval(timer))
  },
}

for (const [what, talk] of Object.entries(HOSTILE)) {
  test(`tsrunc planner: one in its place that ${what} costs a caller of auto nothing but time`, ONLY, async () => {
    requires('root')
    await impostor(talk)
    const b = await trueBundle()
    const { stderr } = await b.run(mode('auto'))
    equal(stderr, '')
  })
}

test('tsrunc planner: it is told at once which root a bundle has', ONLY, async () => {
  requires('root')
  let heard = ''
  await impostor((socket) => {
    greets(socket)
    socket.on('data', (data) => {
      heard += data.toString('latin1')
      // Cold: node makes the plan.
      if (heard.includes('config.json') || heard.includes('ociVersion')) socket.end(reply(2, [0, 0, 0, 0]))
    })
  })
  const b = await trueBundle()
  const elsewhere = join(realpathSync(b.path), 'elsewhere')
  execFileSync('cp', ['-a', '-T', b.rootfs, elsewhere])
  const link = scratch('link')
  symlinkSync(elsewhere, link)
  for (const [path, question, answer] of [
    ['rootfs', realpathSync(b.rootfs), realpathSync(b.rootfs)],
    [elsewhere, elsewhere, elsewhere],
    [link, link, elsewhere],
  ] as const) {
    heard = ''
    b.config.root = { path }
    b.save()
    equal((await b.run(mode('auto'))).stderr, '')
    ok(heard.includes(`d${question}\0${answer}\0`), question)
  }
})

test('tsrunc planner: a plan that is none is refused', ONLY, async () => {
  requires('root')
  await impostor((socket) => greets(socket, reply(1, [0, 0, 0, 64]), Buffer.alloc(64, 0x42)))
  const b = await trueBundle()
  const outcome = await b.tryRun(mode('on'))
  equal(outcome.status, 1)
  match(outcome.stderr, /the plan is not one of this version/)
})

test("tsrunc planner: another user's socket is not asked", ONLY, async () => {
  requires('root')
  let asked = false
  await impostor(() => {
    asked = true
  })
  chownSync(socketPath(), NOBODY, NOBODY)
  const b = await trueBundle()
  await b.run(mode('auto'))
  match((await b.tryRun(mode('on'))).stderr, /operation not permitted/)
  equal(asked, false)
})

for (const [how, still] of [
  ['auto', false],
  ['wait', true],
] as const) {
  test(`tsrunc planner: a caller of ${how} ${still ? 'waits for' : 'goes on without'} a slow one`, ONLY, async () => {
    requires('root')
    const found: boolean[] = []
    await impostor((socket) => {
      let open = true
      socket.on('close', () => {
        open = false
      })
      // Whoever is answered "cold" starts node.
      setTimeout(() => {
        found.push(open)
        socket.end(Buffer.concat([GREETING, reply(2, [0, 0, 0, 0])]))
      }, 1000)
      socket.resume()
    })
    const b = await trueBundle()
    equal((await b.run(mode(how))).stderr, '')
    await eventually('the answer', () => found.length > 0)
    deepEqual(found, [still])
  })
}

test('tsrunc planner: killed in the middle of a request it costs nothing', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  const b = await trueBundle()
  await b.run(mode('on'))
  planner.kill('SIGSTOP')
  await b.run(mode('auto'))
  const patient = (await trueBundle()).launchRun(mode('wait'))
  await patient.pid
  const waiting = b.launchRun(mode('on'))
  await waiting.pid
  planner.kill('SIGKILL')
  const { status, stderr } = await waiting.exited
  equal(status, 1)
  match(stderr, /tsrunc run: the planner of /)
  equal((await patient.exited).status, 0)
})

const send = (bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(socketPath(), () => socket.write(bytes)).resume()
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
  })

/** proc_pid_stat(5): processor time, a hundredth of a second each. */
const ticks = (pid: number): number =>
  (/\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '')
    .split(' ')
    .slice(11, 13)
    .reduce((sum, field) => sum + Number(field), 0)

test('tsrunc planner: a bad request harms no other', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  const header = Buffer.alloc(120)
  header.write('tsrunc-planner4')
  const huge = Buffer.from(header)
  for (let at = 80; at < 116; at += 4) huge.writeUInt32LE(0xffffffff, at)
  await Promise.all([send(Buffer.alloc(4096, 0x41)), send(huge)])
  // Callers who never finish.
  const idlers = Array.from({ length: 20 }, () => connect(socketPath()).on('error', () => undefined))
  for (const socket of idlers) socket.write(header.subarray(0, 50))
  const b = await trueBundle()
  await b.run(mode('on'))
  for (const socket of idlers) socket.destroy()
  equal(isAlive(planner.pid ?? 0), true)
})

test('tsrunc planner: a queue that is full costs a caller of auto nothing but time', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  planner.kill('SIGSTOP')
  // More than listen(2) was asked to hold, node's default.
  const sockets = Array.from({ length: 600 }, () => connect(socketPath()).on('error', () => undefined))
  sandbox().undo.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  const b = await trueBundle()
  await b.run(mode('auto'))
  for (const socket of sockets) socket.destroy()
  planner.kill('SIGCONT')
  await b.run(mode('on'))
})

test('tsrunc planner: one that has no descriptor left waits without working, and serves again', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  const pid = planner.pid ?? 0
  const b = await trueBundle()
  await b.run(mode('on'))
  await eventually('the end of its rehearsal', async () => {
    const before = ticks(pid)
    await delay(600)
    return ticks(pid) - before < 2
  })
  const room = readdirSync(`/proc/${pid}/fd`).length + 5
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${room}:`])
  const sockets = Array.from({ length: 30 }, () => connect(socketPath()).on('error', () => undefined))
  sandbox().undo.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  await eventually('the last descriptor', () => readdirSync(`/proc/${pid}/fd`).length >= room - 1)
  const before = ticks(pid)
  await delay(1000)
  ok(ticks(pid) - before < 30, `${ticks(pid) - before} ticks`)
  for (const socket of sockets) socket.destroy()
  await eventually('a plan', async () => (await b.tryRun(mode('on'))).status === 0)
})
