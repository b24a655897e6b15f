// config.md#posix-platform-hooks.
import { existsSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bad,
  bundle,
  callRuntime,
  deepEqual,
  equal,
  type HookName,
  match,
  notEqual,
  ok,
  probeProgram,
  runtime,
  type State,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const CREATE_HOOKS = ['prestart', 'createRuntime', 'createContainer'] as const
const START_HOOKS = ['startContainer', 'poststart'] as const
const ALL: readonly HookName[] = [...CREATE_HOOKS, ...START_HOOKS, 'poststop']

/** The rule of where and when a hook runs, and that of its failure. */
const RULES: Readonly<Record<HookName, readonly [place: string, failure: string]>> = {
  prestart: ['HK-1a', 'HK-1b'],
  createRuntime: ['HK-2a', 'HK-2b'],
  createContainer: ['HK-3b', 'HK-3c'],
  startContainer: ['HK-4b', 'HK-4c'],
  poststart: ['HK-5a', 'HK-5b'],
  poststop: ['HK-6a', 'HK-6b'],
}

/** A bundle with these hooks, each of them the probe. */
const withHooks = (names: readonly HookName[], ...words: string[]): Promise<Bundle> =>
  bundle((c, b) => {
    c.root.readonly = false
    c.hooks = Object.fromEntries(names.map((name) => [name, [b.hook(name, name, ...words)]]))
  })

const lifecycle = async (b: Bundle): Promise<void> => {
  b.command(['sleep', '0.05'])
  await b.create()
  await b.start()
  await b.reaches('stopped')
  await b.delete()
}

const ORDER: TestOptions = {
  peers: { runc: 'poststart before the program, fixed in 1.6', crun: 'start does not wait for startContainer' },
  sometimes: true,
}

const order = (b: Bundle): string[] => b.hookLines().map((line) => line.hook)

const stateOf = (b: Bundle, name: string): State => {
  const line = b.hookLines().find((candidate) => candidate.hook === name)
  return JSON.parse(line?.state ?? '{}') as State
}

test(
  'runtime.md#lifecycle [OP-6 HK-1a HK-2a HK-3a HK-4a HK-5a HK-6a]: all six hooks run, in the order of the lifecycle',
  ORDER,
  async () => {
    const b = await withHooks(ALL)
    await lifecycle(b)
    deepEqual(order(b), ALL)
  },
)

test(
  'runtime.md#lifecycle [OP-6 HK-1a HK-2a HK-3a HK-4a HK-5a HK-6a]: create runs the first three hooks, start the next two, delete the last',
  ORDER,
  async () => {
    const b = await withHooks(ALL)
    b.command(['sleep', '30'])
    await b.create()
    deepEqual(order(b), CREATE_HOOKS)
    await b.start()
    deepEqual(order(b), [...CREATE_HOOKS, ...START_HOOKS])
    await b.kill('KILL')
    await b.reaches('stopped')
    await b.delete()
    deepEqual(order(b), ALL)
  },
)

test('runtime.md#lifecycle [OP-6 HK-1a HK-2a HK-3a HK-4a HK-5a HK-6a]: run does it all', ORDER, async () => {
  const b = await withHooks(ALL)
  b.command(['sleep', '0.2'])
  await b.run()
  deepEqual(order(b), ALL)
})

test('config.md#posix-platform-hooks [HK-7a]: hooks MUST be called in the listed order', ORDER, async () => {
  const b = await bundle((c, b) => {
    c.root.readonly = false
    c.hooks = Object.fromEntries(
      ALL.map((name) => [name, ['a', 'b', 'c'].map((word) => b.hook(name, `${name}-${word}`))]),
    )
  })
  await lifecycle(b)
  deepEqual(
    order(b),
    ALL.flatMap((name) => ['a', 'b', 'c'].map((word) => `${name}-${word}`)),
  )
})

/** What the state says while the hook runs. runc calls a container that is being created "creating" only since 1.0. */
const STATUS: Readonly<Record<HookName, readonly string[]>> = {
  prestart: ['creating', 'created'],
  createRuntime: ['creating', 'created'],
  createContainer: ['creating', 'created'],
  startContainer: ['created'],
  poststart: ['running'],
  poststop: ['stopped'],
}

for (const name of ALL) {
  const deviations: TestOptions =
    name === 'poststart'
      ? { peers: { runc: 'runs poststart before the program (fixed in 1.6)' }, sometimes: true }
      : name === 'startContainer'
        ? { peers: { crun: 'says running' }, sometimes: true }
        : name === 'createContainer'
          ? { peers: { crun: 'gives no pid' }, sometimes: true }
          : {}
  test(
    `config.md#posix-platform-hooks [HK-7b ANN-1a]: the state of the container MUST be passed to ${name} over stdin`,
    deviations,
    async () => {
      const b = await withHooks([name])
      b.config.annotations = { 'org.example.key': 'value' }
      b.command(['sleep', '0.3'])
      await b.create()
      const { pid } = await b.state()
      await b.start()
      await b.reaches('stopped')
      await b.delete()
      const state = stateOf(b, name)
      equal(state.id, b.id)
      equal(state.bundle, b.path)
      match(state.ociVersion, /^1\./)
      deepEqual(state.annotations, { 'org.example.key': 'value' })
      ok(STATUS[name].includes(state.status), state.status)
      if (name === 'poststop') {
        ok((state.pid ?? 0) === 0 || state.pid === pid, String(state.pid))
      } else if (name === 'createContainer' || name === 'startContainer') {
        ok([1, pid].includes(state.pid), String(state.pid))
      } else {
        equal(state.pid, pid)
      }
    },
  )
}

test('config.md#posix-platform-hooks [HK-7b]: the pid that createContainer and startContainer get is the one seen by the container', {
  peers: { crun: 'gives that of the host' },
}, async () => {
  const b = await withHooks(['createContainer', 'startContainer'])
  await lifecycle(b)
  deepEqual(
    b.hookLines().map((line) => (JSON.parse(line.state) as State).pid),
    [1, 1],
  )
})

for (const name of ['prestart', 'createRuntime', 'poststart', 'poststop'] as const) {
  test(`config.md#posix-platform-hooks [${RULES[name][0]}]: ${name} is executed in the runtime namespace`, async () => {
    const b = await withHooks([name])
    await lifecycle(b)
    const [line] = b.hookLines()
    for (const type of ['mnt', 'net', 'pid', 'ipc', 'uts', 'user'] as const) {
      equal(line?.namespaces[type], readlinkSync(`/proc/self/ns/${type}`), type)
    }
  })
}

for (const name of ['createContainer', 'startContainer'] as const) {
  test(`config.md#posix-platform-hooks [${RULES[name][0]}]: ${name} is executed in the container namespace`, async () => {
    const b = await withHooks([name])
    await lifecycle(b)
    const [line] = b.hookLines()
    for (const type of ['mnt', 'net', 'pid', 'ipc', 'uts'] as const) {
      notEqual(line?.namespaces[type], readlinkSync(`/proc/self/ns/${type}`), type)
    }
  })
}

test('config.md#posix-platform-hooks [HK-2a]: createRuntime runs when the namespaces exist, before pivot_root', async () => {
  const b = await bundle((c, b) => {
    const { pid } = process
    c.hooks = {
      createRuntime: [b.hook('createRuntime', 'createRuntime', `stat=${b.rootfs}/bin/probe`, `stat=/proc/${pid}`)],
    }
  })
  await lifecycle(b)
  match(b.hookLines()[0]?.seen ?? '', /probe:yes .*:yes/)
})

test('config.md#posix-platform-hooks [HK-3a]: createContainer runs with the mounts set up, before pivot_root', async () => {
  const b = await bundle((c, b) => {
    c.hooks = {
      createContainer: [
        b.hook('createContainer', 'createContainer', `stat=${b.rootfs}/dev/pts/ptmx`, `stat=${b.path}/config.json`),
      ],
    }
  })
  await lifecycle(b)
  match(b.hookLines()[0]?.seen ?? '', /ptmx:yes .*config.json:yes/)
})

test('config.md#posix-platform-hooks [HK-4b]: startContainer is resolved and runs in the root of the container', async () => {
  const b = await bundle((c, b) => {
    c.root.readonly = false
    c.hooks = { startContainer: [b.hook('startContainer', 'startContainer', `stat=${b.path}`, 'stat=/bin/probe')] }
  })
  await lifecycle(b)
  match(b.hookLines()[0]?.seen ?? '', /:no \/bin\/probe:yes/)
})

test('config.md#posix-platform-hooks [HK-3a]: a mount that createContainer makes is seen by the container', async () => {
  const b = await bundle((c, b) => {
    addBusybox(b.rootfs)
    c.hooks = {
      createContainer: [
        { path: '/bin/mount', args: ['mount', '-t', 'tmpfs', '-o', 'size=64k', 'by-hook', join(b.rootfs, 'tmp')] },
      ],
    }
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  match(mountinfo, / \/tmp .*by-hook/)
})

test('config.md#posix-platform-hooks [HK-7c]: env is the environment of the hook, exactly', async () => {
  const env = ['A=1', 'B=two words', 'PATH=/x']
  const b = await bundle((c, b) => {
    c.root.readonly = false
    c.hooks = Object.fromEntries(ALL.map((name) => [name, [{ ...b.hook(name, name), env }]]))
  })
  await lifecycle(b)
  for (const line of b.hookLines()) {
    deepEqual(line.env, env, line.hook)
  }
})

test("config.md#posix-platform-hooks [HK-7c]: without env nothing of the runtime's environment reaches a hook in the runtime namespace", {
  peers: { runc: 'passes its own', crun: 'passes its own' },
}, async () => {
  const b = await withHooks(['createRuntime', 'poststop'])
  await lifecycle(b)
  for (const line of b.hookLines()) {
    deepEqual(line.env, [], line.hook)
  }
})

test('config.md#posix-platform-hooks [HK-7c]: args has the semantics of argv, its first entry is the name', async () => {
  const b = await bundle((c, b) => {
    c.hooks = {
      createRuntime: [
        { path: probeProgram(), args: ['a-name', 'hook', join(b.path, 'hooks.log'), 'createRuntime', 'a b', ''] },
      ],
    }
  })
  await lifecycle(b)
  deepEqual(b.hookLines()[0]?.args, ['a-name', 'hook', join(b.path, 'hooks.log'), 'createRuntime', 'a b', ''])
})

test('config.md#posix-platform-hooks [HK-7f]: a hook that does not read its standard input does no harm', {
  peers: { crun: 'dies of SIGPIPE' },
}, async () => {
  const b = await withHooks(['createRuntime', 'createContainer', 'startContainer', 'poststart'], 'noread')
  b.config.annotations = { large: 'x'.repeat(100_000) }
  await lifecycle(b)
  equal(b.hookLines().length, 4)
})

test('config.md#posix-platform-hooks [HK-7f]: what hooks print does not reach the standard output of the container', async () => {
  const b = await withHooks(['createRuntime', 'createContainer', 'startContainer', 'poststart'], 'stdout=from-a-hook')
  const outcome = await (async () => {
    b.command(['echo', 'x'])
    return await b.run()
  })()
  equal(outcome.stdout.includes('from-a-hook'), false)
})

for (const name of CREATE_HOOKS) {
  test(`config.md#posix-platform-hooks [${RULES[name][1]}]: if ${name} fails the runtime MUST generate an error and stop the container`, async () => {
    const b = await withHooks([name], 'exit=7', 'stderr=the-hook-says-why')
    await b.refused(new RegExp(`${name}(.|\\n)*7(.|\\n)*the-hook-says-why`))
  })
}

test('config.md#posix-platform-hooks [HK-3c HK-2b]: the hooks after one that failed do not run, poststop does', {
  peers: { crun: 'runs no poststop' },
}, async () => {
  const b = await bundle((c, b) => {
    c.hooks = {
      createRuntime: [b.hook('createRuntime', 'one', 'exit=1'), b.hook('createRuntime', 'two')],
      createContainer: [b.hook('createContainer', 'three')],
      poststop: [b.hook('poststop', 'poststop')],
    }
  })
  await b.refused()
  deepEqual(order(b), ['one', 'poststop'])
})

const failsAtStart = async (b: Bundle): Promise<string> => {
  b.command(['sleep', '30'])
  await b.create()
  const outcome = await b.tryCall('start')
  equal(outcome.status, 1, outcome.stderr)
  return outcome.stderr
}

for (const name of START_HOOKS) {
  test(`config.md#posix-platform-hooks [${RULES[name][1]}]: if ${name} fails start MUST generate an error and the container is stopped`, {
    peers: { runc: 'leaves it', crun: 'goes on' },
    sometimes: true,
  }, async () => {
    const b = await withHooks([name], 'exit=7', 'stderr=the-hook-says-why')
    const message = await failsAtStart(b)
    if (runtime().quirks.tellsStories) {
      match(message, new RegExp(`${name}(.|\\n)*7(.|\\n)*the-hook-says-why`))
    }
    const state = await b.tryCall('state')
    if (state.status === 0) {
      equal((JSON.parse(state.stdout) as State).status, 'stopped')
    }
    equal((await b.tryCall('delete', { flags: ['--force'] })).status, 0)
  })
}

test('config.md#posix-platform-hooks [HK-4c]: startContainer that fails keeps the program from running', async () => {
  const b = await withHooks(['startContainer'], 'exit=1')
  b.command(['mkdir', '/ran'])
  await b.create()
  await b.tryCall('start')
  equal(existsSync(join(b.rootfs, 'ran')), false)
})

test('config.md#posix-platform-hooks [HK-6b]: poststop that fails is a warning, the remaining hooks and the deletion go on', {
  peers: { runc: 'stops at the first' },
}, async () => {
  const b = await bundle((c, b) => {
    c.hooks = { poststop: [b.hook('poststop', 'one', 'exit=1'), b.hook('poststop', 'two')] }
  })
  await lifecycle(b)
  deepEqual(order(b), ['one', 'two'])
  equal((await callRuntime(['state', b.id])).status, 1)
})

test('config.md#posix-platform-hooks [HK-2b]: a hook that a signal ended has failed', async () => {
  const b = await bundle((c) => {
    c.hooks = { createRuntime: [{ path: probeProgram(), args: ['probe', 'crash'] }] }
  })
  await b.refused(/createRuntime/)
})

test('config.md#posix-platform-hooks [HK-7e]: timeout is the number of seconds before aborting the hook', async () => {
  const b = await bundle((c, b) => {
    c.hooks = { createRuntime: [{ ...b.hook('createRuntime', 'slow', 'sleep=20'), timeout: 1 }] }
  })
  const begin = Date.now()
  await b.refused(/createRuntime(.|\n)*(time|second)/i)
  const took = Date.now() - begin
  // Before it would have ended by itself.
  ok(took > 900 && took < 19_000, String(took))
})

test('config.md#posix-platform-hooks [HK-7e]: a hook in the container that exceeds its timeout', async () => {
  const b = await bundle((c, b) => {
    c.hooks = { createContainer: [{ ...b.hook('createContainer', 'slow', 'sleep=20'), timeout: 1 }] }
  })
  const begin = Date.now()
  await b.refused(/createContainer(.|\n)*(time|second)/i)
  ok(Date.now() - begin < 19_000)
})

test('config.md#posix-platform-hooks [HK-7e]: a hook within its timeout', async () => {
  const b = await bundle((c, b) => {
    c.hooks = { createRuntime: [{ ...b.hook('createRuntime', 'quick', 'sleep=0.1'), timeout: 5 }] }
  })
  await lifecycle(b)
  deepEqual(order(b), ['quick'])
})

test('config.md#posix-platform-hooks [HK-7e]: timeout MUST be greater than zero', {
  peers: { crun: 'takes it' },
}, async () => {
  for (const timeout of [0, -1]) {
    const b = await bundle((c, b) => {
      c.hooks = { createRuntime: [{ ...b.hook('createRuntime', 'x'), timeout }] }
    })
    await b.refused(/timeout/)
  }
})

test('config.md#posix-platform-hooks [HK-7d]: path MUST be absolute', {
  peers: { crun: 'takes any' },
}, async () => {
  const b = await bundle((c) => {
    c.hooks = { createRuntime: [{ path: 'true' }] }
  })
  await b.refused(/absolute|path/)
})

test('config.md#posix-platform-hooks [HK-7d]: path is REQUIRED', async () => {
  const b = await bundle((c) => {
    c.hooks = { createRuntime: [bad({ args: ['true'] })] }
  })
  await b.refused(/path/)
})

test('config.md#posix-platform-hooks [HK-7d]: a hook that does not exist', async () => {
  const b = await bundle((c) => {
    c.hooks = { createRuntime: [{ path: '/no/such/hook' }] }
  })
  await b.refused(/\/no\/such\/hook/)
})

test('config.md#posix-platform-hooks [HK-7f]: a hook leaves no descriptor of the runtime open in its own process', async () => {
  const log = scratch('fds')
  const script = scratch('hook.sh')
  writeFileSync(script, `#!/bin/sh\nbusybox ls -l /proc/self/fd > ${log}\n`, { mode: 0o755 })
  const b = await bundle((c) => {
    c.hooks = { createRuntime: [{ path: script }] }
  })
  await lifecycle(b)
  const { readFileSync } = await import('node:fs')
  const extra = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => / ([3-9]|\d\d+) -> /.test(line) && !/\/proc\/\d+\/fd/.test(line))
  deepEqual(extra, [])
})

test('config.md#posix-platform-hooks [HK-7b]: a hook may ask for the state of the container', async () => {
  const log = scratch('asked.json')
  const script = scratch('hook.sh')
  const b = await bundle((c) => {
    c.hooks = { poststart: [{ path: script, env: [`PATH=${process.env['PATH']}`] }] }
  })
  writeFileSync(
    script,
    `#!/bin/sh\ncat >/dev/null\n${runtime().path} --root ${b.path}/../state state ${b.id} > ${log} 2>&1\n`,
    { mode: 0o755 },
  )
  b.command(['sleep', '2'])
  await b.create()
  await b.start()
  const { readFileSync } = await import('node:fs')
  equal((JSON.parse(readFileSync(log, 'utf8')) as State).id, b.id)
})
