// Plans are kept beneath --root for calls without a planner (native/launcher/kept_plans.h). Nothing that lies there may give a
// container another plan than node would make for it, or keep one from being made.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  copyOfRuntime,
  deepEqual,
  equal,
  launch,
  match,
  networkNamespace,
  notEqual,
  ok,
  requires,
  sandbox,
  scratch,
  coldTest as test,
} from '../../lib'
import { ONLY, sleepingBundle } from './planner-talk'

/** As often as a configuration has to come until its plan is kept. */
const ROUNDS = 2

const cache = (): string => join(sandbox().marks.root, '~plans')
const kept = (): string => join(cache(), 'kept')
/** In the same file system. */
const beside = (name: string): string => join(sandbox().marks.root, `~${name}`)

interface Made {
  readonly plan: Buffer
  readonly usedNode: boolean
  readonly pid: string
  readonly cgroups: string
  readonly network: string
}

interface How {
  readonly within?: readonly string[]
  readonly planner?: string
}

interface Traced {
  readonly cat: string
}

const usedNode = (trace: string): boolean =>
  (JSON.parse(readFileSync(trace, 'utf8')) as readonly Traced[]).some(({ cat }) => cat === 'node')

/** What create has saved and made. */
const made = async (b: Bundle, id: string, { within = [], planner = 'off' }: How = {}): Promise<Made> => {
  const [pidFile, trace] = [scratch('pid'), scratch('trace')]
  const words = ['--planner', planner, '--trace', trace, 'create', '--bundle', b.path, '--pid-file', pidFile, id]
  const { status, stderr } = await callRuntime(words, { within })
  deepEqual([status, stderr], [0, ''])
  const pid = readFileSync(pidFile, 'utf8')
  const found = {
    plan: readFileSync(join(sandbox().marks.root, id, 'plan')),
    usedNode: usedNode(trace),
    pid,
    cgroups: readFileSync(`/proc/${pid}/cgroup`, 'utf8'),
    network: readlinkSync(`/proc/${pid}/ns/net`),
  }
  equal((await callRuntime(['delete', '--force', id])).status, 0)
  return found
}

/** Plans are kept in memory only, as /run is. */
const rootInMemory = (): void => {
  const { root } = sandbox().marks
  mkdirSync(root, { mode: 0o700 })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=700', sandbox().tag, root])
  sandbox().undo.push(() => execFileSync('umount', [root]))
}

/** After these the plan is kept. */
const fill = async (b: Bundle, how: How = {}): Promise<void> => {
  for (let i = 0; i < ROUNDS; i++) ok((await made(b, `${b.id}-f${i}`, how)).usedNode)
}

test('kept-plans: what comes again starts no node, and is the plan that node makes', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await fill(b)
  const about = lstatSync(kept())
  deepEqual([about.uid, about.mode & 0o7777, about.nlink], [0, 0o600, 1])
  equal(lstatSync(cache()).mode & 0o7777, 0o700)
  for (const id of [`${b.id}-k1`, `${b.id}-k2`]) {
    const again = await made(b, id)
    equal(again.usedNode, false)
    match(again.cgroups, new RegExp(`/${id}$`, 'm'))
    renameSync(cache(), beside(`away-${id}`))
    const cold = await made(b, id)
    ok(cold.usedNode)
    deepEqual(again.plan, cold.plan)
    equal(again.cgroups, cold.cgroups)
    notEqual(again.pid, cold.pid)
    rmSync(cache(), { recursive: true, force: true })
    renameSync(beside(`away-${id}`), cache())
  }
})

test('kept-plans: who would ask a planner has them where there is none', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  // Not `auto`, which leaves a planner behind.
  await fill(b, { planner: 'wait' })
  equal((await made(b, `${b.id}-k1`, { planner: 'wait' })).usedNode, false)
})

test('kept-plans: another configuration, another directory or an ID of another form is planned for', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await fill(b)
  ok((await made(b, `${b.id}+x+`)).usedNode)
  b.config.process.args = ['/bin/sleep', '1001']
  b.save()
  ok((await made(b, `${b.id}-k1`)).usedNode)
  b.config.process.args = ['/bin/sleep', '1000']
  b.save()
  equal((await made(b, `${b.id}-k1`)).usedNode, false)
  const other = b.twin()
  renameSync(b.path, scratch('moved'))
  symlinkSync(scratch('moved'), b.path)
  ok((await made(other, `${b.id}-k1`)).usedNode)
})

test('kept-plans: exec and run have them', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await b.create()
  await b.start()
  const trace = scratch('trace')
  const exec = async (): Promise<boolean> => {
    const words = ['--planner', 'off', '--trace', trace, 'exec', b.id, '/bin/busybox', 'echo', 'hello']
    const { status, stdout, stderr } = await callRuntime(words)
    deepEqual([status, stdout, stderr], [0, 'hello\n', ''])
    return usedNode(trace)
  }
  deepEqual([await exec(), await exec(), await exec(), await exec()], [true, true, false, false])
  const c = await bundle((config, { rootfs }) => {
    addBusybox(rootfs)
    config.process.args = ['/bin/sh', '-c', 'read x </proc/sys/kernel/hostname; echo $x; exit 7']
  })
  const run = async (id: string): Promise<boolean> => {
    const { status, stdout } = await callRuntime(['--planner', 'off', '--trace', trace, 'run', '-b', c.path, id])
    deepEqual([status, stdout], [7, `${c.config.hostname}\n`])
    return usedNode(trace)
  }
  const used = []
  for (const i of [1, 2, 3, 4]) used.push(await run(`${c.id}-${i}`))
  deepEqual(used, [true, true, false, false])
})

test('kept-plans: what is not the caller’s alone is not looked at', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await fill(b)
  const id = `${b.id}-k1`
  const isUsed = async (): Promise<boolean> => !(await made(b, id)).usedNode
  const pairs: readonly (readonly [spoil: () => void, mend: () => void])[] = [
    [() => chmodSync(kept(), 0o640), () => chmodSync(kept(), 0o600)],
    [() => chownSync(kept(), 1000, 0), () => chownSync(kept(), 0, 0)],
    [() => chmodSync(cache(), 0o755), () => chmodSync(cache(), 0o700)],
    [() => chownSync(cache(), 1000, 0), () => chownSync(cache(), 0, 0)],
    [
      () => {
        renameSync(kept(), beside('kept'))
        symlinkSync(beside('kept'), kept())
      },
      () => {
        rmSync(kept())
        renameSync(beside('kept'), kept())
      },
    ],
    [
      () => {
        renameSync(cache(), beside('away'))
        symlinkSync(beside('away'), cache())
      },
      () => {
        rmSync(cache())
        renameSync(beside('away'), cache())
      },
    ],
    [() => execFileSync('ln', [kept(), join(cache(), 'other')]), () => rmSync(join(cache(), 'other'))],
  ]
  for (const [spoil, mend] of pairs) {
    ok(await isUsed())
    spoil()
    equal(await isUsed(), false, String(spoil))
    mend()
  }
  ok(await isUsed())
})

test('kept-plans: a file that is cut or has other bytes keeps no container from being made', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await fill(b)
  const whole = readFileSync(kept())
  const { plan } = await made(b, `${b.id}-k1`)
  const sizes = [0, 10, 24, 100, whole.length >> 1, whole.length - 1]
  for (const size of sizes) {
    truncateSync(kept(), size)
    const again = await made(b, `${b.id}-k1`)
    ok(again.usedNode, `${size} bytes`)
    deepEqual(again.plan, plan)
    writeFileSync(kept(), whole, { mode: 0o600 })
  }
  // The beginning with its table, what the plans hold for, and the entry, from its sizes to the end of its plan.
  const part = Math.floor(whole.length / 40)
  for (const at of [0, 17, 22, 30, 38, 42, ...Array.from({ length: 40 }, (_, i) => (i + 1) * part - 1)]) {
    const other = Buffer.from(whole)
    other[at] = (other[at] ?? 0) ^ 0x40
    writeFileSync(kept(), other, { mode: 0o600 })
    const again = await made(b, `${b.id}-k1`)
    ok(again.usedNode, `byte ${at}`)
    deepEqual(again.plan, plan)
  }
})

test('kept-plans: a host with other mounts, or a mount namespace of one’s own, is planned for', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await fill(b)
  const unshared = await made(b, `${b.id}-k1`, { within: ['unshare', '--mount'] })
  ok(unshared.usedNode)
  // Which every kernel has (fs/proc/root.c), and nobody looks for anything in.
  const place = '/proc/driver'
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', sandbox().tag, place])
  sandbox().undo.push(() => execFileSync('umount', [place]))
  ok((await made(b, `${b.id}-k1`)).usedNode)
})

test('kept-plans: a namespace that is entered may be another one, but not the caller’s own', ONLY, async () => {
  requires('root')
  rootInMemory()
  const [first, second] = [(await networkNamespace()).path, (await networkNamespace()).path]
  const b = await sleepingBundle()
  const path = scratch('net')
  b.config.linux.namespaces = [
    ...(b.config.linux.namespaces ?? []).filter(({ type }) => type !== 'network'),
    { type: 'network', path },
  ]
  b.save()
  const enter = (target: string): void => {
    rmSync(path, { force: true })
    symlinkSync(target, path)
  }
  enter(first)
  await fill(b)
  for (const target of [first, second]) {
    enter(target)
    const again = await made(b, `${b.id}-k1`)
    equal(again.usedNode, false)
    equal(again.network, readlinkSync(target))
  }
  enter('/proc/self/ns/net')
  const own = await made(b, `${b.id}-k1`)
  ok(own.usedNode)
  equal(own.network, readlinkSync('/proc/self/ns/net'))
})

test('kept-plans: where the directory of containers is on a disk nothing is kept', ONLY, async () => {
  requires('root')
  const b = await sleepingBundle()
  for (let i = 0; i < ROUNDS + 2; i++) ok((await made(b, `${b.id}-f${i}`)).usedNode)
  equal(existsSync(cache()), false)
})

test('kept-plans: another libseccomp or addon is another program', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  b.config.linux.seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
  }
  b.save()
  const { path } = copyOfRuntime()
  const trace = scratch('trace')
  const run = async (): Promise<boolean> => {
    const words = ['--root', sandbox().marks.root, '--planner', 'off', '--trace', trace, 'create', '-b', b.path, b.id]
    const { status, stderr } = await launch([path, ...words]).exited
    deepEqual([status, stderr], [0, ''])
    equal((await callRuntime(['delete', '--force', b.id])).status, 0)
    return usedNode(trace)
  }
  deepEqual([await run(), await run(), await run()], [true, true, false])
  utimesSync(join(dirname(path), 'tsrunc_seccomp.node'), 1, 1)
  ok(await run())
})

test('kept-plans: of many configurations those that came last are kept', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await fill(b)
  const size = lstatSync(kept()).size
  for (let i = 0; i < 18; i++) {
    b.config.process.args = ['/bin/sleep', `${2000 + i}`]
    b.save()
    for (let k = 0; k < ROUNDS; k++) await made(b, `${b.id}-m${k}`)
  }
  equal((await made(b, `${b.id}-k1`)).usedNode, false)
  b.config.process.args = ['/bin/sleep', '1000']
  b.save()
  ok((await made(b, `${b.id}-k1`)).usedNode)
  ok(lstatSync(kept()).size <= 17 * size)
  deepEqual(readdirSync(cache()).sort(), ['kept', 'seen'])
})

test('kept-plans: gc and list know them, and nothing is a container by that name', ONLY, async () => {
  requires('root')
  rootInMemory()
  const b = await sleepingBundle()
  await fill(b)
  equal((await callRuntime(['list', '--quiet'])).stdout, '')
  equal((await callRuntime(['gc'])).status, 0)
  ok(existsSync(kept()))
  equal((await callRuntime(['state', '~plans'])).status, 1)
})
