// A bus that is silent, talks nonsense or never comes to an end, and a systemd that does something else than it was told: each call
// ends in time, with an error, and leaves nothing.
import { createServer, type Socket } from 'node:net'
import {
  cgroupsNamed,
  deepEqual,
  equal,
  match,
  ok,
  readCgroup,
  requires,
  runtimeEnvironment,
  sandbox,
  scratch,
  test,
} from '../../lib'
import { proxiedBus } from './bus'
import { isLoaded, pathOf, SYSTEMD, scopeBundle, scopeOf, systemctl } from './unit'

/** Long enough for a systemd that answers, in an emulated machine too. */
const SECONDS = '8'

/** A signal of somebody's, as D-Bus has it on the wire: little-endian, without a body. */
const aSignal = (): Buffer => {
  const lengthOf = (text: string): number => 9 + text.length
  const field = (code: number, type: string, text: string): Buffer => {
    const bytes = Buffer.alloc(Math.ceil(lengthOf(text) / 8) * 8)
    bytes.set([code, 1, type.charCodeAt(0), 0], 0)
    bytes.writeUInt32LE(text.length, 4)
    bytes.write(text, 8, 'latin1')
    return bytes
  }
  const before = Buffer.concat([field(1, 'o', '/a'), field(2, 's', 'a.b')])
  const fixed = Buffer.from([108, 4, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
  // What is behind the last field to the border is not of the list.
  fixed.writeUInt32LE(before.length + lengthOf('C'), 12)
  return Buffer.concat([fixed, before, field(3, 's', 'C')])
}

let buses = 0

/** A bus that is none: `speaks` gets each connection. */
const falseBus = (speaks: (socket: Socket) => void): Record<string, string> => {
  buses += 1
  const path = scratch(`false-bus-${buses}`)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    speaks(socket)
  }).listen(path)
  sandbox().undo.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { ...runtimeEnvironment(), DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}` }
}

/** Says each text as the answer to what it hears, and then nothing more. */
const saying =
  (...texts: readonly (string | Buffer)[]) =>
  (socket: Socket): void => {
    const left = [...texts]
    socket.on('data', () => {
      const text = left.shift()
      if (text !== undefined) socket.write(text)
    })
  }

const flooding =
  (first: string, flood: Buffer) =>
  (socket: Socket): void => {
    const block = Buffer.concat(Array.from({ length: 200 }, () => flood))
    const more = (): void => {
      while (!socket.destroyed && socket.write(block));
    }
    const begin = (): void => {
      more()
      socket.on('drain', more)
    }
    // Messages come once the other side has begun: what is sent before is read with the greeting's line, or is not.
    socket.once('data', () => {
      if (first === '') {
        begin()
      } else {
        socket.write(first)
        socket.once('data', begin)
      }
    })
  }

const OK = 'OK 0123456789abcdef0123456789abcdef\r\n'

test('a bus that talks nonsense, says nothing after its greeting or never comes to an end is an error that says so', {
  only: ['tsrunc'],
}, async () => {
  requires('root', 'systemd')
  const rows: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
    ['nonsense', saying('HTTP/1.1 400 Bad Request\r\n\r\n'), /the bus on \S+ does not let us in/],
    [
      'the end',
      (socket) => socket.end(),
      /the bus did not answer the authentication on \S+: the connection was closed/,
    ],
    ['damage', saying(OK, Buffer.alloc(64, 'x')), /the bus did not answer Hello on \S+: a message is malformed/],
    ['silence', saying(OK), /the bus did not answer Hello on \S+ within \d s/],
    ['lines', flooding('', Buffer.from('DATA\r\n')), /the authentication on \S+: what it says is not the protocol/],
    ['signals', flooding(OK, aSignal()), /the bus did not answer Hello on \S+ within \d s/],
  ]
  for (const [name, speaks, story] of rows) {
    const b = await scopeBundle()
    const env = { ...falseBus(speaks), SYSTEMD_BUS_TIMEOUT: '3' }
    const said = await b.refused(story, { ...SYSTEMD, env })
    match(said, /start unit test-\S+\.scope of systemd/, name)
    deepEqual(cgroupsNamed(b.id), [], name)
  }
})

test('a systemd that does not answer, or does not finish a job, is an error of create, and the unit is gone', {
  only: ['tsrunc'],
}, async () => {
  requires('root', 'systemd')
  const rows = [
    ['StartTransientUnit', 'runtime', /systemd did not answer StartTransientUnit on \S+ within 8 s/],
    ['JobRemoved', 'bus', /systemd did not finish the job of StartTransientUnit for test-\S+\.scope .*within 8 s/],
  ] as const
  for (const [word, side, story] of rows) {
    let held = 0
    const env = proxiedBus((heard, from) => {
      if (held > 0 || heard !== word || from !== side) return 'pass'
      held += 1
      return 'hold'
    })
    const b = await scopeBundle()
    await b.refused(story, { ...SYSTEMD, env: { ...env, SYSTEMD_BUS_TIMEOUT: SECONDS } })
    equal(held, 1, word)
    ok(!isLoaded(scopeOf(b)), `the unit is there: ${word}`)
    deepEqual(cgroupsNamed(b.id), [], word)
  }
})

test('a systemd that does not answer an update is an error, and the old limits are back', {
  only: ['tsrunc'],
}, async () => {
  requires('root', 'systemd')
  const b = await scopeBundle((config) => {
    config.linux.resources.pids = { limit: 40 }
  })
  let held = 0
  const env = proxiedBus((heard, from) => {
    if (held > 0 || heard !== 'SetUnitProperties' || from !== 'runtime') return 'pass'
    held += 1
    return 'hold'
  })
  b.command(['sleep', '600'])
  await b.create({ ...SYSTEMD, env: { ...env, SYSTEMD_BUS_TIMEOUT: SECONDS } })
  await b.start()
  const { status, stderr } = await b.tryCall('update', { flags: ['--pids-limit', '20'] })
  equal(status, 1)
  match(stderr, /systemd did not answer SetUnitProperties on \S+ within 8 s/)
  equal(readCgroup('pids', pathOf(b), 'pids.max'), '40')
})

test('a systemd that does not answer delete is a warning: processes and cgroups go by file', {
  only: ['tsrunc'],
}, async () => {
  requires('root', 'systemd')
  // Whose unit it is, it is asked before anything is killed and after.
  let asked = 0
  const env = proxiedBus((word, from) => {
    if (from === 'runtime' && word === 'Documentation') asked += 1
    return asked > 1 ? 'hold' : 'pass'
  })
  const b = await scopeBundle()
  b.command(['sleep', '600'])
  await b.create({ ...SYSTEMD, env: { ...env, SYSTEMD_BUS_TIMEOUT: SECONDS } })
  await b.start()
  const { stderr } = await b.delete({ flags: ['--force'] })
  match(stderr, /unit \S+ is left to systemd: .*systemd did not answer Get on \S+ within 8 s/)
  deepEqual(cgroupsNamed(b.id), [])
})

test('a container that systemd puts elsewhere than it was told to is refused, and nothing is left', {
  only: ['tsrunc'],
}, async () => {
  requires('root', 'systemd')
  // Of the same length, so that the message stays one.
  const env = proxiedBus(
    () => 'pass',
    (data) => Buffer.from(data.toString('latin1').replace('system.slice', 'spetst.slice'), 'latin1'),
  )
  sandbox().undo.push(() => {
    systemctl('stop', 'spetst.slice')
  })
  const b = await scopeBundle()
  const said = await b.refused(/the container should be in cgroup \S+, and systemd has put it into \S+/, {
    ...SYSTEMD,
    env,
  })
  match(said, new RegExp(`in cgroup ${pathOf(b)}, .* into /spetst\\.slice/${scopeOf(b)}`))
  ok(!isLoaded(scopeOf(b)), 'the unit is there')
  deepEqual(cgroupsNamed(b.id), [])
})
