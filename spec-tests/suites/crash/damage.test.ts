// A bit that flipped in what is saved of a container, or a file that ends too early: whatever would act on it says so and
// does nothing, and delete --force takes the container away. The native tests do this with every bit; here is a sample.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  callRuntime,
  cgroupDirectory,
  deepEqual,
  equal,
  expectStatus,
  isAlive,
  launch,
  leftSoFar,
  match,
  ok,
  requires,
  sandbox,
  test,
} from '../../lib'
import { richBundle } from './containers'

const OURS = { only: ['tsrunc'], timeout: 120_000 } as const

const fileOf = (b: Bundle, name: string): string => join(sandbox().marks.root, b.id, name)

const flipped = (whole: Buffer, at: number, bit: number): Buffer => {
  const copy = Buffer.from(whole)
  copy.writeUInt8(whole.readUInt8(at) ^ (1 << bit), at)
  return copy
}

/** Ten places that are spread over the file: every other one is where it ends. */
const sample = (whole: Buffer): Buffer[] =>
  Array.from({ length: 10 }, (_, i) => {
    const at = Math.floor(((i + 0.5) * whole.length) / 10)
    return i % 2 === 0 ? flipped(whole, at, (i * 3) % 8) : whole.subarray(0, at)
  })

const CALLS: readonly (readonly [verb: string, ...words: string[]])[] = [
  ['state'],
  ['ps'],
  ['exec', '/bin/probe', 'true'],
  ['start'],
  ['pause'],
  ['delete'],
]

for (const name of ['state', 'plan'] as const) {
  test(`damage: every verb says that the ${name} is damaged, and does nothing`, OURS, async () => {
    requires('root')
    const b = await richBundle()
    await b.create()
    const { pid } = await b.state()
    const file = fileOf(b, name)
    const whole = readFileSync(file)
    const words = new RegExp(`the saved ${name} \\(the file "${name}"\\) is damaged: .*; tsrunc delete --force ${b.id}`)
    for (const [round, content] of [...sample(whole), whole.subarray(0, 0)].entries()) {
      writeFileSync(file, content)
      // Those that need node are slow: not all of them each time.
      const calls = round % 5 === 0 ? [...CALLS, ['update', '--pids-limit', '60'] as const] : CALLS
      for (const [verb, ...args] of calls) {
        const { status, stdout, stderr } = await b.tryCall(verb, {}, ...args)
        equal(status, verb === 'exec' ? 255 : 1, `${verb}, ${round}: ${stderr}`)
        equal(stdout, '')
        match(stderr, words, `${verb}, ${round}`)
      }
      // A signal goes to the process that a whole copy of the state names, and to nobody else.
      const killed = await b.tryCall('kill', {}, 'CONT')
      const isKnown = name === 'plan' || content.length * 2 > whole.length
      equal(killed.status, isKnown ? 0 : 1, `${round}: ${killed.stderr}`)
      match(killed.stderr, /is damaged/)
      const { status, stderr } = await callRuntime(['list'])
      equal(status, 0)
      match(stderr, /is damaged/)
      ok(isAlive(pid), `round ${round}`)
    }
    writeFileSync(file, whole)
    equal((await b.state()).status, 'created')
    await b.start()
    await b.delete({ flags: ['--force'] })
  })
}

const cut =
  (part: number) =>
  (whole: Buffer): Buffer =>
    whole.subarray(0, Math.floor(whole.length * part))

const flip =
  (part: number) =>
  (whole: Buffer): Buffer =>
    flipped(whole, Math.floor(whole.length * part), 2)

const DAMAGES: readonly (readonly [name: string, damage: (whole: Buffer) => Buffer, warning: RegExp])[] = [
  ['state', flip(0.1), /the saved state .* is damaged: byte \d+ is not as it was written/],
  ['state', flip(0.9), /the saved state .* is damaged: byte \d+ is not as it was written/],
  ['state', cut(0.7), /the saved state .* is damaged: byte \d+ is not as it was written/],
  ['state', cut(0.4), /only processes in the container's cgroups can be ended/],
  ['state', cut(0), /neither copy in its 0 bytes is whole/],
  ['plan', flip(0.5), /the saved plan .* is damaged: the checksum of its \d+ bytes is wrong/],
  ['plan', cut(0.9), /the saved plan .* is damaged: the checksum of its \d+ bytes is wrong/],
  ['journal', flip(0.02), /the journal .* is damaged at byte 0, line 1/],
  ['journal', flip(0.99), /the journal .* is damaged at byte \d+, line \d+/],
  ['journal', cut(0.5), /the journal .* is damaged at byte \d+, line \d+/],
  ['journal', cut(0), /the journal .* is damaged at byte 0, line 1/],
]

test('damage: delete --force ends the container and removes what belongs to it', OURS, async () => {
  requires('root')
  for (const [round, [name, damage, warning]] of DAMAGES.entries()) {
    const b = await richBundle()
    await b.create()
    await b.start()
    const { pid } = await b.state()
    const file = fileOf(b, name)
    // A v1 freezer holds back even SIGKILL, and which cgroup it is the plan says, or the journal.
    if (round % 2 === 1) expectStatus(await b.tryCall('pause'))
    writeFileSync(file, damage(readFileSync(file)))
    const { stderr } = expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
    match(stderr, warning)
    equal(isAlive(pid), false)
    deepEqual(await leftSoFar(), [], `${name}, ${round}`)
  }
})

test('damage: a stopped container with a damaged journal is deleted by delete --force only', OURS, async () => {
  requires('root')
  const b = await richBundle()
  await b.create()
  await b.kill('KILL')
  await b.reaches('stopped')
  const file = fileOf(b, 'journal')
  const whole = readFileSync(file)
  writeFileSync(file, flipped(whole, 12, 0))
  const refused = await b.tryCall('delete')
  equal(refused.status, 1)
  match(
    refused.stderr,
    new RegExp(`the journal \\(the file "journal"\\) is damaged at byte 0, line 1 .*; tsrunc delete --force ${b.id}`),
  )
  deepEqual(readFileSync(file), flipped(whole, 12, 0))
  const forced = expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
  match(forced.stderr, /is damaged at byte 0, line 1: but for the cgroups, what was noted there is not undone/)
})

test('damage: nothing of a neighbour is ended or removed because a file says so', OURS, async () => {
  requires('root')
  const neighbour = launch(['sleep', '300'])
  const other = await neighbour.pid
  // proc_pid_stat(5): field 22.
  const started = readFileSync(`/proc/${other}/stat`, 'latin1').split(') ')[1]?.split(' ')[19]
  const [b, c] = [await richBundle(), await richBundle()]
  const stranger = join(cgroupDirectory('pids', b.id), '..', `${b.id}-stranger`)
  mkdirSync(stranger)
  sandbox().undo.push(() => rmdirSync(stranger))
  const rows = [
    [
      b,
      'state',
      /pid \d+\nstart \d+/g,
      `pid ${other}\nstart ${started}`,
      /the saved state .* is damaged: neither copy/,
    ],
    [c, 'journal', /cgroup \S+/g, `cgroup ${stranger}`, /the journal .* is damaged at byte 0, line 1/],
  ] as const
  for (const [container, name, pattern, forgery, warning] of rows) {
    await container.create()
    const { pid } = await container.state()
    const file = fileOf(container, name)
    const whole = readFileSync(file, 'latin1')
    writeFileSync(file, whole.replaceAll(pattern, forgery))
    if (name === 'state') equal((await container.tryCall('kill', {}, 'KILL')).status, 1)
    const { stderr } = expectStatus(await container.tryCall('delete', { flags: ['--force'] }))
    match(stderr, warning)
    equal(isAlive(pid), false)
    ok(isAlive(other) && existsSync(stranger), name)
  }
  await neighbour.kill('SIGKILL')
  await neighbour.exited
})
