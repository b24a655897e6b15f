// What every process of a runtime has open in every state of a container: CVE-2016-9962, CVE-2019-5736, CVE-2024-21626 and
// CVE-2025-31133 began with a descriptor that reached further than the process it was found in.
//
// Seen to fail with the exec fifo opened without O_CLOEXEC, and with init that keeps the state directory open.
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  deepEqual,
  descriptorsOf,
  eventually,
  inherited,
  ok,
  requires,
  sandbox,
  test,
} from '../../lib'

const HOST_HOOKS = ['prestart', 'createRuntime', 'poststart', 'poststop'] as const
/** Device and inode, as names of a file. */
const identity = (path: string): string => {
  const { dev, ino } = statSync(path)
  return `${dev}:${ino}`
}

/** Devices of what this host has mounted. */
const hostDevices = (): ReadonlySet<number> =>
  new Set(
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const path = line.split(' ')[4]
        return path !== undefined && existsSync(path) ? [statSync(path).dev] : []
      }),
  )

const isHostDirectory = (path: string, devices: ReadonlySet<number>): boolean => {
  const status = statSync(path)
  return status.isDirectory() && devices.has(status.dev)
}

/** Directories of the host that are open, other than the container's root. */
const hostDirectories = (pid: number, rootfs: string): readonly string[] => {
  const devices = hostDevices()
  const root = identity(rootfs)
  return descriptorsOf(pid)
    .map((fd) => `/proc/${pid}/fd/${fd}`)
    .filter((path) => isHostDirectory(path, devices) && identity(path) !== root)
    .map((path) => readlinkSync(path))
}

/** A hook that stands still until it is told to go on, or for a minute: nothing outlives a test that fails. */
const pausing = (b: Bundle, name: string) => ({
  path: '/bin/sh',
  args: [
    'sh',
    '-c',
    `echo $PPID > ${b.path}/${name}; i=0; until [ -e ${b.path}/${name}.go ] || [ $i -ge 600 ]; do sleep 0.1; i=$((i + 1)); done`,
  ],
  env: [`PATH=${process.env['PATH'] ?? '/bin:/usr/bin'}`],
})

const goOn = (b: Bundle, name: string): void => writeFileSync(join(b.path, `${name}.go`), '')

/** Waits until a hook stands still; the process that runs it. */
const parentOf = async (b: Bundle, name: string): Promise<number> => {
  const path = join(b.path, name)
  // The file is there before what is written into it.
  const written = (): string | undefined =>
    existsSync(path) ? readFileSync(path, 'utf8').trim() || undefined : undefined
  return Number(await eventually(`the hook ${name}`, written, 30_000))
}

const CRUN = { peers: { crun: 'opens its signalfd without SFD_CLOEXEC' }, sometimes: true } as const

for (const name of HOST_HOOKS) {
  test(
    `while a ${name} hook runs, the runtime has nothing open that a program it starts would inherit`,
    CRUN,
    async () => {
      const b = await bundle((c, made) => {
        c.hooks = { [name]: [pausing(made, name)] }
      })
      b.command(['sleep', '30'])
      // Whatever fails, the hook ends.
      sandbox().undo.push(() => goOn(b, name))
      const work = async (): Promise<void> => {
        await b.create()
        await b.start()
        await b.kill('KILL')
        await b.reaches('stopped')
        await b.delete()
      }
      const done = work()
      const over = done.then((): never => {
        throw new Error('it was over before the hook stood still')
      })
      const pid = await Promise.race([parentOf(b, name), over])
      over.catch(() => undefined)
      const found = inherited(pid)
      goOn(b, name)
      await done
      deepEqual(found, [])
    },
  )
}

test('init that waits for start has nothing open that the program would inherit, and no directory of the host', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  deepEqual(inherited(pid), [])
  deepEqual(hostDirectories(pid, b.rootfs), [])
  await b.start()
  deepEqual(descriptorsOf(pid), [])
})

const RUNC = { peers: { runc: 'a createContainer hook inherits pipes of init' }, sometimes: true } as const

test('in a hook only the standard streams are open, wherever it runs', RUNC, async () => {
  requires('busybox')
  const b = await bundle((c, made) => {
    // Not the host's ls, which does nothing without statx(2).
    const list = (name: string) => ({
      path: '/bin/sh',
      args: ['sh', '-c', `/bin/busybox ls /proc/self/fd > ${made.path}/${name}`],
      env: [`PATH=${process.env['PATH'] ?? '/bin:/usr/bin'}`],
    })
    const names = [...HOST_HOOKS, 'createContainer'] as const
    c.hooks = Object.fromEntries(names.map((name) => [name, [list(name)]]))
  })
  b.command(['sleep', '0.1'])
  await b.run()
  for (const name of [...HOST_HOOKS, 'createContainer']) {
    const path = join(b.path, name)
    ok(existsSync(path), `${name} did not run`)
    // 3 is the directory that ls reads.
    deepEqual([name, ...readFileSync(path, 'utf8').trim().split('\n')], [name, '0', '1', '2', '3'])
  }
})

test(
  'the runtime that waits for a container in the foreground has nothing open that a program would inherit',
  CRUN,
  async () => {
    const b = await bundle()
    b.command(['echo', 'runs'], ['sleep', '30'])
    const running = b.launchRun()
    await b.line(/runs/)
    deepEqual(inherited(await running.pid), [])
    await b.kill('KILL')
    await running.exited
  },
)

test('a process that is put into a container has only the standard streams open', async () => {
  const b = await bundle()
  await b.startIdle()
  const [report] = await b.exec({}, ['report'])
  deepEqual(
    report.fds.map(({ fd }) => fd),
    [0, 1, 2],
  )
})
