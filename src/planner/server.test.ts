import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rehearsedConfig } from '../cli/rehearsed-config'
import { inUserNamespace } from '../host/probe'
import { binding, type KeptPlan } from '../native/binding'
import { installation } from './installation'
import { Place } from './place'
import { encodeRequest } from './protocol'
import { PlannerServer } from './server'

const GREETING = 16
const REPLY_HEADER = 40
const BUNDLE = '/of-a-test'

let root: string
let server: PlannerServer

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsrunc-planner-'))
  server = new PlannerServer({ place: Place.ofOwner(root), fd: -1, onListening: () => undefined })
  server.listen()
})

afterEach(() => {
  server.close()
  rmSync(root, { recursive: true })
})

const request = (...argv: readonly string[]): Buffer =>
  encodeRequest(installation(), {
    argv,
    cwd: '/',
    environment: ['PATH=/bin'],
    record: `tsrunc-handoff 1\npid ${argv.length}${argv.at(-1)?.length}\nfd 0\n`,
    bundle: BUNDLE,
    config: rehearsedConfig(),
    answers: [`d${BUNDLE}/rootfs`, `${BUNDLE}/rootfs`],
  })

/** The reply to a request, with its header. */
const ask = (message: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const socket = connect(join(root, '~planner'), () => socket.write(message))
    socket.on('error', reject)
    socket.on('data', (data) => {
      received = Buffer.concat([received, data])
      if (received.length < GREETING + REPLY_HEADER) return
      const reply = received.subarray(GREETING)
      const size = [20, 24, 28, 32].reduce((sum, at) => sum + reply.readUInt32LE(at), REPLY_HEADER)
      if (reply.length < size) return
      // What follows a reply is considered before the next request.
      setImmediate(() => setImmediate(() => resolve(reply)))
      socket.destroy()
    })
  })

const run = (id: string, pidFile = '/run/p'): Buffer => request('run', '--pid-file', pidFile, '-b', BUNDLE, id)

/** What another planner makes of it, which has never planned for a container of this configuration. */
const afresh = async (message: Buffer): Promise<Buffer> => {
  const kept = [server, root] as const
  root = mkdtempSync(join(tmpdir(), 'tsrunc-planner-'))
  server = new PlannerServer({ place: Place.ofOwner(root), fd: -1, onListening: () => undefined })
  server.listen()
  const reply = await ask(message)
  server.close()
  rmSync(root, { recursive: true })
  ;[server, root] = kept
  return reply
}

// For others planning looks at what they may write to.
const ofRoot = test.skipIf(process.geteuid?.() !== 0 || inUserNamespace())

ofRoot('what came twice is answered without planning, with what the caller says', async () => {
  for (const id of ['a1', 'a2']) await ask(run(id))
  expect(server.repeated).toBe(0)
  const messages = [run('b9'), run('a1', '/var/q'), run('b9'), run('Z0')]
  for (const message of messages) expect(await ask(message)).toEqual(await afresh(message))
  expect(server.repeated).toBe(messages.length)
})

test('what is not as plain, or longer, is planned for', async () => {
  for (const id of ['a1', 'a2']) await ask(run(id))
  const words = [run('b'), run('b-'), run('b.'), run('..'), run('-d'), run('+b'), run('/b'), run('a1', '/run/pp')]
  const paths = [run('a1', '/run//'), run('a1', '/ru/..'), run('a1', 'run/pp'), run('a1', '/run p')]
  const others = [
    request('run', '--pid-file', '/run/p', '-b', BUNDLE),
    request('create', '--pid-file', '/run/p', '-b', BUNDLE, 'a1'),
  ]
  for (const message of [...words, ...paths, ...others]) expect(await ask(message)).toEqual(await afresh(message))
  expect(server.repeated).toBe(0)
})

/** A plan of nobody's, to see which of them is believed. */
const keep = (change: Partial<KeptPlan>, facts: number): void => {
  const own = { message: run('a1'), words: [{ index: 5, kind: 'id', places: [4] }] as const, looks: [], ...change }
  binding().keepPlan(numberOf(server), { reply: Buffer.from('ID: a1'), ...own }, facts)
}

const numberOf = (of: PlannerServer): number => of.number ?? 0

test.each([
  ['as it was', {}, 'ID: b2'],
  ['another cgroup', { looks: [['cgroup', '0::/elsewhere\n']] }, undefined],
  ['the same cgroup', { looks: [['cgroup', readFileSync('/proc/self/cgroup', 'utf8')]] }, 'ID: b2'],
  ['another text', { looks: [['/proc/self/comm', 'nobody']] }, undefined],
  ['a place beyond the reply', { words: [{ index: 5, kind: 'id', places: [5] }] }, undefined],
  ['a word that is not there', { words: [{ index: 9, kind: 'id', places: [] }] }, undefined],
] as const)('a plan is given for what it was made of: %s', async (_name, change, expected) => {
  await ask(run('a1'))
  keep(change as Partial<KeptPlan>, server.facts)
  const answered = server.repeated
  const message = run('b2')
  const socket = connect(join(root, '~planner'), () => socket.write(message))
  const reply = await new Promise<Buffer>((resolve) => {
    let received = Buffer.alloc(0)
    socket.on('data', (data) => {
      received = Buffer.concat([received, data])
      if (received.length > GREETING) resolve(received.subarray(GREETING))
    })
  })
  socket.destroy()
  expect(server.repeated - answered).toBe(expected === undefined ? 0 : 1)
  if (expected !== undefined) expect(reply.toString()).toBe(expected)
})

test('of other facts of the host none is kept', async () => {
  await ask(run('a1'))
  keep({}, server.facts + 1)
  await ask(run('b2'))
  expect(server.repeated).toBe(0)
})
