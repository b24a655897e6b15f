// Those whom a container names and who do not do their part: hooks, sockets, a full disk, cgroups that cannot be written.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import {
  type Bundle,
  bundle,
  deepEqual,
  equal,
  eventually,
  expectStatus,
  hostileAgent,
  isAlive,
  leftSoFar,
  match,
  ok,
  requires,
  sandbox,
  scratch,
  test,
} from '../../lib'

const OURS = { only: ['tsrunc'], timeout: 120_000 } as const

/** A hook of a few lines of shell. */
const script = (name: string, lines: string): string => {
  const path = scratch(`${name}.sh`)
  writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
  return path
}

const idle = (change: Parameters<typeof bundle>[0] = () => undefined): Promise<Bundle> =>
  bundle((c, b) => {
    c.process.args = ['/bin/probe', 'pause']
    change(c, b)
  })

test('hooks: one that exceeds its timeout is killed with its children, in each phase', OURS, async () => {
  requires('root')
  const pids = scratch('pids')
  const slow = script('slow', `sleep 301 & echo $! >> ${pids}; echo waiting; wait`)
  const phases = { prestart: 'create', createRuntime: 'create', poststart: 'start', poststop: 'delete' } as const
  await Promise.all(
    Object.entries(phases).map(async ([name, phase]) => {
      const b = await idle((c) => {
        c.hooks = { [name]: [{ path: slow, env: ['PATH=/bin:/usr/bin'], timeout: 1 }] }
      })
      const created = await b.tryCreate()
      const outcomes = { create: created, start: created, delete: created }
      if (phase !== 'create') {
        expectStatus(created)
        outcomes.start = await b.tryCall('start')
      }
      if (phase === 'delete') outcomes.delete = await b.tryCall('delete', { flags: ['--force'] })
      const { status, stderr } = outcomes[phase]
      // A container that has ended is deleted, whatever its last hook does.
      equal(status, phase === 'delete' ? 0 : 1, stderr)
      match(stderr, new RegExp(`${name}(.|\\n)*did not end within its timeout of 1 s and was killed: waiting`))
      if (phase === 'start') await b.tryCall('delete', { flags: ['--force'] })
    }),
  )
  deepEqual(await leftSoFar(), [])
})

test('hooks: one without a timeout is waited for, until the caller ends that', OURS, async () => {
  requires('root')
  const began = scratch('began')
  const slow = script('slow', `echo $$ > ${began}; exec sleep 301`)
  const b = await idle((c) => {
    c.hooks = { createRuntime: [{ path: slow, env: ['PATH=/bin:/usr/bin'] }] }
  })
  const create = b.launchCall('create', { flags: ['--bundle', b.path] })
  await eventually('the hook', () => existsSync(began), 20_000)
  // Whoever comes meanwhile is told what is in its way.
  equal((await b.state()).status, 'creating')
  process.kill(await create.pid, 'SIGTERM')
  const { status, stderr } = await create.exited
  ok(status !== 0, stderr)
  deepEqual(await leftSoFar(), [])
})

test(
  'hooks: one that leaves a process behind which holds its output and its input is not waited for',
  OURS,
  async () => {
    requires('root')
    const pids = scratch('pids')
    const away = script('away', `setsid sleep 302 & echo $! > ${pids}; echo gone`)
    const closed = script('closed', 'exec 0<&-; exec 1>&-; exec 2>&-; exit 0')
    // What the hook left is the hook's.
    sandbox().undo.push(() => {
      if (existsSync(pids)) process.kill(Number(readFileSync(pids, 'latin1')), 'SIGKILL')
    })
    const b = await idle((c) => {
      c.annotations = { large: 'x'.repeat(300_000) }
      c.hooks = {
        createRuntime: [
          { path: away, env: ['PATH=/bin:/usr/bin'] },
          { path: closed, env: ['PATH=/bin:/usr/bin'] },
        ],
      }
    })
    await b.create()
    await b.delete({ flags: ['--force'] })
    ok(isAlive(Number(readFileSync(pids, 'latin1'))))
  },
)

/** A filter that asks for calls of which each program makes one. */
const asking = (socket: string, ...names: string[]) => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  listenerPath: socket,
  syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
})

/** For calls that take ten seconds. */
const LONG = { timeout: 60_000 } as const

test('sockets: an agent or a terminal that nobody serves ends the call after ten seconds', OURS, async () => {
  requires('root')
  const [silent, once, deaf] = await Promise.all([
    hostileAgent('silent=0'),
    hostileAgent('silent=1'),
    hostileAgent('deaf'),
  ])
  const stories: Record<string, () => Promise<void>> = {
    console: async () => {
      const b = await idle((c) => {
        c.process.terminal = true
      })
      const { status, stderr } = await b.tryCreate({ flags: ['--console-socket', deaf], ...LONG })
      equal(status, 1)
      match(stderr, new RegExp(`${deaf}"?: nobody accepts the connection`))
    },
    listener: async () => {
      const b = await idle((c) => {
        c.linux.seccomp = asking(deaf, 'execve')
      })
      const { status, stderr } = await b.tryCreate(LONG)
      equal(status, 1)
      match(stderr, new RegExp(`${deaf}"?: nobody accepts the connection`))
    },
    create: async () => {
      const b = await idle((c) => {
        c.process.noNewPrivileges = false
        c.linux.seccomp = asking(silent, 'capset')
      })
      const { status, stderr } = await b.tryCreate(LONG)
      equal(status, 1)
      match(stderr, new RegExp(`${silent}"?: the seccomp agent has not answered for 10 s`))
    },
    start: async () => {
      const b = await idle((c) => {
        c.linux.seccomp = asking(silent, 'execve')
      })
      await b.create()
      const { status, stderr } = await b.tryCall('start', LONG)
      equal(status, 1)
      match(stderr, new RegExp(`${silent}"?: the seccomp agent has not answered for 10 s`))
    },
    'read before execve': async () => {
      const b = await idle((c) => {
        c.linux.seccomp = asking(silent, 'read')
      })
      const { status, stderr } = await b.tryRun(LONG)
      equal(status, 1)
      match(stderr, new RegExp(`${silent}"?: the seccomp agent has not answered for 10 s`))
    },
    exec: async () => {
      const b = await idle((c) => {
        c.linux.seccomp = asking(once, 'execve')
      })
      await b.create()
      await b.start()
      const { status, stderr } = await b.tryExec(LONG, '/bin/probe', 'echo', 'x')
      equal(status, 255)
      match(stderr, new RegExp(`${once}"?: the seccomp agent has not answered for 10 s`))
      equal((await b.state()).status, 'running')
      await b.delete({ flags: ['--force'] })
    },
  }
  // All to their end: none may be at work when what is left is looked for.
  for (const result of await Promise.allSettled(Object.values(stories).map((story) => story()))) {
    if (result.status === 'rejected') throw result.reason
  }
  deepEqual(await leftSoFar(), [])
})
