// runtime-linux.md#file-descriptors: by default only the standard streams are kept open for the application.
import { closeSync, openSync, writeFileSync } from 'node:fs'
import {
  bundle,
  deepEqual,
  equal,
  givesDescriptors,
  includes,
  launch,
  match,
  runtime,
  sandbox,
  scratch,
  test,
} from '../../lib'

/** Open files of the test's own, to be handed to the runtime as 3, 4, … */
const files = (count: number): number[] => {
  const fds = Array.from({ length: count }, (_, i) => {
    const path = scratch(`fd${i}`)
    writeFileSync(path, `content ${i}`)
    return openSync(path, 'r')
  })
  sandbox().undo.push(() => fds.forEach(closeSync))
  return fds
}

test('runtime-linux.md#file-descriptors [DEV-4a]: only 0, 1 and 2 are open in the program', async () => {
  const b = await bundle()
  deepEqual(
    (await b.report()).fds.map((entry) => entry.fd),
    [0, 1, 2],
  )
})

test("runtime-linux.md#file-descriptors [DEV-4a]: descriptors of the runtime's caller do not reach the program", async () => {
  const b = await bundle()
  const outcome = await b.run({ fds: files(5) })
  const [report] = b.answers(outcome.stdout, [['report']])
  deepEqual(
    report.fds.map((entry) => entry.fd),
    [0, 1, 2],
  )
})

test('runtime-linux.md#file-descriptors [DEV-4a]: nor by create and start', async () => {
  const b = await bundle()
  await b.create({ fds: files(3) })
  await b.start({ fds: files(3) })
  await b.reaches('stopped')
  const [report] = b.answers(b.output(), [['report']])
  deepEqual(
    report.fds.map((entry) => entry.fd),
    [0, 1, 2],
  )
})

test('runtime-linux.md#file-descriptors [DEV-4b]: --preserve-fds passes N of them, from 3', async () => {
  const b = await bundle()
  givesDescriptors(b)
  b.command(['report'], ['fd', '3'], ['fd', '4'])
  const outcome = await b.run({ fds: files(3), flags: ['--preserve-fds', '2'] })
  const [report, three, four] = b.answers(outcome.stdout, [['report'], ['fd'], ['fd']])
  deepEqual(
    report.fds.map((entry) => [entry.fd, entry.cloexec]),
    [0, 1, 2, 3, 4].map((fd) => [fd, false]),
  )
  deepEqual([three.data, four.data], ['content 0', 'content 1'])
})

test('runtime-linux.md#file-descriptors [DEV-4b]: --preserve-fds with create and start', async () => {
  const b = await bundle()
  givesDescriptors(b)
  b.command(['report'], ['fd', '3'])
  await b.create({ fds: files(1), flags: ['--preserve-fds', '1'] })
  await b.start()
  await b.reaches('stopped')
  const [report, three] = b.answers(b.output(), [['report'], ['fd']])
  deepEqual([report.fds.length, three.data], [4, 'content 0'])
})

test('--preserve-fds of a descriptor that is not open is refused', {
  peers: { crun: 'passes what is there' },
}, async () => {
  const b = await bundle()
  await b.refused(/preserve-fds|descriptor/i, { flags: ['--preserve-fds', '7'] })
})

/** Runs the runtime with LISTEN_PID of its own, as systemd does: only a shell knows the number beforehand. */
const socketActivated = async (b: { path: string; id: string }, count: number, flags: string): Promise<string> => {
  sandbox().containers.add(b.id)
  const command = `exec env LISTEN_FDS=${count} LISTEN_PID=$$ LISTEN_FDNAMES=a:b ${runtime().path} --root ${sandbox().marks.root} run ${flags} --bundle ${b.path} ${b.id}`
  const running = launch(['sh', '-c', command], { fds: files(3) })
  const outcome = await running.exited
  equal(outcome.status, 0, outcome.stderr)
  return outcome.stdout
}

test('LISTEN_FDS: the sockets of a socket activation are passed, with LISTEN_PID of the container', {
  peers: { crun: 'drops LISTEN_FDS' },
}, async () => {
  const b = await bundle()
  givesDescriptors(b)
  b.command(['report'], ['fd', '3'], ['fd', '4'])
  const [report, three, four] = b.answers(await socketActivated(b, 2, ''), [['report'], ['fd'], ['fd']])
  deepEqual(
    report.fds.map((entry) => entry.fd),
    [0, 1, 2, 3, 4],
  )
  deepEqual([three.data, four.data], ['content 0', 'content 1'])
  includes(report.env, 'LISTEN_FDS=2')
  includes(report.env, 'LISTEN_PID=1')
})

test('LISTEN_FDS: --preserve-fds adds to it', async () => {
  const b = await bundle()
  givesDescriptors(b)
  b.command(['report'], ['fd', '5'])
  const [report, five] = b.answers(await socketActivated(b, 2, '--preserve-fds 1'), [['report'], ['fd']])
  deepEqual([report.fds.length, five.data], [6, 'content 2'])
})

test('LISTEN_FDS: is ignored when LISTEN_PID is that of another process', {
  peers: { crun: 'does not look' },
}, async () => {
  const b = await bundle()
  const outcome = await b.run({
    fds: files(1),
    env: { PATH: process.env['PATH'] ?? '', LISTEN_FDS: '1', LISTEN_PID: '1' },
  })
  const [report] = b.answers(outcome.stdout, [['report']])
  equal(report.fds.length, 3)
  equal(
    report.env.some((entry) => entry.startsWith('LISTEN_')),
    false,
  )
})

test('the standard streams are the very files of the caller', { peers: { runc: 'copies through pipes' } }, async () => {
  const b = await bundle()
  const outcome = await b.run()
  const [report] = b.answers(outcome.stdout, [['report']])
  equal(report.fds[0]?.target, '/dev/null')
  match(report.fds[1]?.target ?? '', /\.out/)
  match(report.fds[2]?.target ?? '', /\.err/)
})

test('a caller without standard input', { peers: { crun: 'fails' } }, async () => {
  const b = await bundle()
  b.command(['echo', 'alive'])
  sandbox().containers.add(b.id)
  const outcome = await launch([
    'sh',
    '-c',
    `exec ${runtime().path} --root ${sandbox().marks.root} run --bundle ${b.path} ${b.id} 0<&-`,
  ]).exited
  equal(outcome.status, 0, outcome.stderr)
  match(outcome.stdout, /alive/)
})

test("the caller's /dev/null is not given to the user of the container", async () => {
  const { statSync, chownSync } = await import('node:fs')
  const before = statSync('/dev/null')
  const b = await bundle((c) => {
    c.process.user = { uid: 1000, gid: 1000 }
  })
  await b.run()
  const after = statSync('/dev/null')
  if (after.uid !== before.uid) {
    chownSync('/dev/null', before.uid, before.gid)
  }
  equal(after.uid, before.uid)
})

test('a pipe of the caller is given to the user of the container, so that /dev/stdout can be opened', async () => {
  const b = await bundle((c) => {
    c.process.user = { uid: 1000, gid: 1000 }
  })
  b.command(['open', '/dev/stdout', 'w'])
  sandbox().containers.add(b.id)
  const outcome = await launch([
    'sh',
    '-c',
    `${runtime().path} --root ${sandbox().marks.root} run --bundle ${b.path} ${b.id} | cat`,
  ]).exited
  match(outcome.stdout, /"errno":0/)
})
