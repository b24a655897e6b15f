// What a planner was asked before it gives again (native/addon/repeated_plans.h): to callers that it fits, with what they say.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  callRuntime,
  cgroupVersion,
  deepEqual,
  equal,
  match,
  networkNamespace,
  notEqual,
  ok,
  requires,
  sandbox,
  scratch,
  startPlanner,
  coldTest as test,
} from '../../lib'
import { isLoaded, SYSTEMD } from '../systemd/unit'
import { ONLY, sleepingBundle } from './planner-talk'

/** As often as a request has to come until it is no longer planned for, and once more. */
const ROUNDS = 4

const call = (planner: string, args: readonly string[], within: readonly string[] = []) =>
  callRuntime(['--planner', planner, ...args], { within })

interface Made {
  readonly plan: Buffer
  readonly pid: string
  readonly cgroups: string
  readonly network: string
}

/** What create has saved and made. */
const made = async (
  planner: string,
  b: Bundle,
  id: string,
  pidFile: string,
  within: readonly string[] = [],
  global: readonly string[] = [],
): Promise<Made> => {
  const words = [...global, 'create', '--bundle', b.path, '--pid-file', pidFile, id]
  // Without a planner it is node that plans.
  if (planner === 'off') rmSync(join(sandbox().marks.root, '~plans'), { recursive: true, force: true })
  const { status, stderr } = await call(planner, words, within)
  deepEqual([status, stderr], [0, ''])
  const pid = readFileSync(pidFile, 'utf8')
  const plan = readFileSync(join(sandbox().marks.root, id, 'plan'))
  const cgroups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  const network = readlinkSync(`/proc/${pid}/ns/net`)
  equal((await call('off', ['delete', '--force', id])).status, 0)
  return { plan, pid, cgroups, network }
}

test('tsrunc planner: what comes again under another ID is the plan that node makes', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await sleepingBundle()
  const ids = Array.from({ length: ROUNDS }, (_, i) => `${b.id}-${i}`)
  for (const [i, id] of [...ids, `${b.id}-long`, `${b.id}.x`, `${b.id}+x`].entries()) {
    const pidFile = scratch(`pid-${i}`)
    const warm = await made('on', b, id, pidFile)
    const cold = await made('off', b, id, pidFile)
    deepEqual(warm.plan, cold.plan)
    equal(warm.cgroups, cold.cgroups)
    match(warm.cgroups, new RegExp(`/${id.replace(/[.+]/g, '\\$&')}$`, 'm'))
    notEqual(warm.pid, cold.pid)
  }
})

test('tsrunc planner: an ID of the same length that is none is refused as always', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await sleepingBundle()
  for (let i = 0; i < ROUNDS; i++) await made('on', b, `${b.id}-${i}`, scratch('pid'))
  for (const id of [`${b.id}/x`, `${b.id}-ä`, `${b.id} x`, `../${b.id}`]) {
    const create = ['create', '--bundle', b.path, '--pid-file', scratch('pid'), id]
    const [warm, cold] = [await call('auto', create), await call('off', create)]
    deepEqual([warm.status, warm.stderr], [cold.status, cold.stderr])
    equal(warm.status, 1)
  }
})

test('tsrunc planner: a caller in another cgroup gets a plan of its own', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await sleepingBundle()
  const version = cgroupVersion() === 2
  const directory = join('/sys/fs/cgroup', version ? '' : 'freezer', `${sandbox().tag}-caller`)
  mkdirSync(directory)
  sandbox().undo.push(() => rmdirSync(directory))
  const within = ['/bin/sh', '-c', `echo $$ >${directory}/cgroup.procs; exec "$@"`, 'sh']
  const id = `${b.id}-c`
  for (let i = 0; i < ROUNDS; i++) {
    for (const from of [[], within]) {
      const warm = await made('on', b, id, scratch('pid'), from)
      deepEqual(warm.plan, (await made('off', b, id, scratch('pid'), from)).plan)
    }
  }
})

test("tsrunc planner: of the namespace at a path it is looked anew whether it is the caller's own", ONLY, async () => {
  requires('root')
  startPlanner()
  const file = scratch('network')
  writeFileSync(file, '')
  const [one, two] = [await networkNamespace(), await networkNamespace()]
  const b = await sleepingBundle()
  const { linux } = b.config
  linux.namespaces = linux.namespaces.map((namespace) =>
    namespace.type === 'network' ? { type: 'network', path: file } : namespace,
  )
  b.save()
  const id = `${b.id}-n`
  for (let i = 0; i < ROUNDS; i++) {
    for (const network of [one, two]) {
      execFileSync('mount', ['--bind', network.path, file])
      try {
        for (const within of i < ROUNDS - 1 ? [[]] : [[], one.within, one.within, []]) {
          const warm = await made('on', b, id, scratch('pid'), within)
          const cold = await made('off', b, id, scratch('pid'), within)
          deepEqual(warm.plan, cold.plan)
          deepEqual([warm.network, cold.network], [readlinkSync(network.path), readlinkSync(network.path)])
        }
      } finally {
        execFileSync('umount', [file])
      }
    }
  }
})

test("tsrunc planner: systemd's object of a unit has the ID of who asks", ONLY, async () => {
  requires('root', 'systemd')
  startPlanner()
  const b = await sleepingBundle()
  // In the object's name a letter is one byte, and "-" three.
  for (const end of ['ax', 'bx', 'cx', '-x', '_x']) {
    const id = `${b.id.replaceAll('-', '')}${end}`
    const warm = await made('on', b, id, scratch('pid'), [], SYSTEMD.global)
    match(warm.cgroups, new RegExp(`/tsrunc-${id}\\.scope$`, 'm'))
    ok(!isLoaded(`tsrunc-${id}.scope`), 'the unit is there after delete')
    if (end === 'cx' || end === '-x') {
      deepEqual(warm.plan, (await made('off', b, id, scratch('pid'), [], SYSTEMD.global)).plan)
    }
  }
})

test('tsrunc planner: what comes again is warned of each time', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await sleepingBundle()
  b.config.process.capabilities = { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] }
  b.config.process.args = ['/bin/true']
  b.save()
  for (let i = 0; i < ROUNDS; i++) {
    const { status, stderr } = await call('on', ['run', '--bundle', b.path, `${b.id}-${i}`])
    equal(status, 0)
    match(stderr, /^tsrunc run: warning: .*\bCAP_KILL cannot be granted: not in permitted and inheritable\n$/)
  }
})

test('tsrunc planner: exec that comes again, as of a health check', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await sleepingBundle()
  const [begun, ended] = [
    async () => await b.run({ global: ['--planner', 'off'], flags: ['--detach'] }),
    async () => await b.delete({ flags: ['--force'] }),
  ]
  await begun()
  const look = ['/bin/sh', '-c', 'readlink /proc/self/ns/pid; echo "$A"']
  const namespace = async (): Promise<string> => readlinkSync(`/proc/${(await b.state()).pid}/ns/pid`)
  const check = async (flags: readonly string[], command: readonly string[], said: string): Promise<void> => {
    const { status, stdout, stderr } = await call('on', ['exec', ...flags, b.id, ...command])
    deepEqual([status, stdout, stderr], [0, `${await namespace()}\n${said}\n`, ''])
  }
  for (let i = 0; i < ROUNDS; i++) {
    await check([], look, '')
    await check(['--env', 'A=word'], look, 'word')
    // Of an engine: the same content, in another file each time.
    const file = scratch(`process-${i}`)
    writeFileSync(file, JSON.stringify({ args: look, cwd: '/', env: ['PATH=/bin', 'A=file'] }))
    const pidFile = scratch(`pid-${i}`)
    await check(['--process', file, '--pid-file', pidFile], [], 'file')
    match(readFileSync(pidFile, 'utf8'), /^\d+$/)
  }
  const file = scratch('process-0')
  writeFileSync(file, JSON.stringify({ args: look, cwd: '/', env: ['PATH=/bin', 'A=else'] }))
  await check(['--process', file, '--pid-file', scratch('pid-0')], [], 'else')
  const before = (await b.state()).pid
  await ended()
  await begun()
  notEqual((await b.state()).pid, before)
  for (let i = 0; i < ROUNDS; i++) await check([], look, '')
})

test(
  'tsrunc planner: what comes again is the plan that node makes when the mounts have changed, too',
  ONLY,
  async () => {
    requires('root')
    startPlanner()
    const b = await sleepingBundle()
    const id = `${b.id}-m`
    const directory = scratch('mounted')
    mkdirSync(directory)
    for (let i = 0; i < ROUNDS; i++) {
      const warm = await made('on', b, id, scratch('pid'))
      deepEqual(warm.plan, (await made('off', b, id, scratch('pid'))).plan)
      if (i === ROUNDS - 2) {
        execFileSync('mount', ['-t', 'tmpfs', sandbox().tag, directory])
        sandbox().undo.push(() => execFileSync('umount', [directory]))
      }
    }
  },
)
