/**
 * npm run engine-test: Docker, containerd (by ctr and by the CRI), conmon as CRI-O calls it, Podman and Buildah with the runtime, each in a sandbox of its
 * own; rootless Podman, and containerd with the shim once more, in the virtual machine of spec-tests/vm, which has a systemd.
 *
 *   npm run engine-test -- [--runtime PATH] [--suite SUITE] [--results DIR] [ENGINE…] [WORD…]
 *
 *   --runtime  instead of build/Release/tsrunc; runc and crun are those of the sandbox
 *   --suite    trixie (the default), bookworm or sid: engines of other versions
 *   --results  where engines-RUNTIME.json goes, in the form of vitest's JSON reporter (default: build/results; with an
 *              ENGINE or a WORD nothing is written)
 *   ENGINE     these engines and no others; shim-faults, which kills everybody in every state, runs only so (ENGINES_MANY: how many
 *              containers end at once there)
 *   WORD       rows with all of these words
 *
 * Fails when a row fails that is neither known to fail with runc too nor a known gap (expected.ts).
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { REPOSITORY } from '../lib/config'
import { type Located, reportOf } from '../vm/report'
import { GAPS, HOSTS } from './expected'
import type { Result } from './result'

const WORK = join(REPOSITORY, 'build', 'engine-tests')
/** Those that want a systemd. The kernels of the machine are those of x86_64. */
const IN_MACHINE: readonly string[] = process.arch === 'x64' ? ['podman-rootless', 'shim-systemd'] : []
const ENGINES: readonly string[] = [...IN_MACHINE, 'docker', 'podman', 'containerd', 'shim', 'cri', 'crio', 'buildah']
/** What takes minutes, and runs where it is named. */
const BY_HAND: readonly string[] = ['shim-faults']
/** Sandboxes at the same time. */
const SIDE_BY_SIDE = 2

interface Options {
  readonly runtime: string
  readonly suite: string
  readonly results: string | undefined
  readonly engines: readonly string[]
  readonly words: readonly string[]
}

const readOptions = (): Options => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runtime: { type: 'string', default: join(REPOSITORY, 'build/Release/tsrunc') },
      suite: { type: 'string', default: 'trixie' },
      results: { type: 'string' },
    },
  })
  const names: Readonly<Record<string, string>> = { runc: '/usr/sbin/runc', crun: '/usr/bin/crun' }
  const engines = positionals.filter((word) => [...ENGINES, ...BY_HAND].includes(word))
  return {
    runtime: names[values.runtime] ?? resolve(values.runtime),
    suite: values.suite,
    results: values.results ?? (positionals.length === 0 ? join(REPOSITORY, 'build', 'results') : undefined),
    engines: engines.length === 0 ? ENGINES : engines,
    words: positionals.filter((word) => ![...ENGINES, ...BY_HAND].includes(word)),
  }
}

const bundleGuest = async (): Promise<string> => {
  const outfile = join(WORK, 'guest.cjs')
  const entry = join(__dirname, 'guest.ts')
  await build({ entryPoints: [entry], bundle: true, platform: 'node', target: 'node20', outfile, logLevel: 'error' })
  return outfile
}

/** What a row's result means: a row that fails with runc too says nothing about the runtime. */
const wordFor = ({ engine, what, status }: Result): string => {
  if (status !== 'failed') return status
  const row = `${engine}: ${what}`
  if (GAPS[row] !== undefined) return 'gap'
  return HOSTS[row] === undefined ? 'FAILED' : 'host’s'
}

const print = (result: Result): void => {
  const { engine, what, milliseconds, message } = result
  const seconds = (milliseconds / 1000).toFixed(1).padStart(6)
  process.stdout.write(`${wordFor(result).padEnd(8)}${seconds} s  ${engine.padEnd(17)}${what}\n`)
  if (result.status === 'skipped') process.stdout.write(`                   ${message}\n`)
  if (['FAILED', 'gap'].includes(wordFor(result)))
    process.stdout.write(message.replaceAll(/^/gm, '                   ').concat('\n'))
}

interface Place {
  readonly command: readonly string[]
  readonly undo: () => void
}

/** A sandbox on this host, for engines of root. */
const sandbox = (engine: string, guest: string, { runtime, words }: Options): Place => ({
  command: [join(__dirname, 'sandbox'), process.execPath, guest, engine, runtime, ...words],
  undo: () => undefined,
})

/** Seconds. */
const MACHINE_TIMEOUT = 900

/** Of those in the virtual machine the one that a user calls. */
const OF_USER = 'podman-rootless'

/** A session in the virtual machine: its user may read neither the checkout nor what is beneath root's home. */
const machineSession = (engine: string, guest: string, { runtime, words }: Options): Place => {
  const stage = mkdtempSync(join(tmpdir(), `tsrunc-engines-${process.pid}-`))
  chmodSync(stage, 0o755)
  const ours = runtime.startsWith(REPOSITORY)
  cpSync(guest, join(stage, 'guest.cjs'))
  if (ours) {
    // The executable finds its programs and its addon by where it is.
    const released = (path: string): boolean => !path.endsWith('/obj.target') && !path.endsWith('/.deps')
    for (const tree of ['dist', 'build/Release']) {
      cpSync(join(REPOSITORY, tree), join(stage, tree), { recursive: true, filter: released })
    }
  }
  return {
    command: [
      ...[
        join(REPOSITORY, 'spec-tests/vm/run'),
        '--share',
        stage,
        '--with-caller',
        '--timeout',
        String(MACHINE_TIMEOUT),
      ],
      ...(engine === OF_USER ? ['--user', 'user'] : []),
      ...['--', 'node', join(stage, 'guest.cjs'), engine],
      ...[ours ? join(stage, relative(REPOSITORY, runtime)) : runtime, ...words],
    ],
    undo: () => rmSync(stage, { recursive: true }),
  }
}

/** Runs one engine's rows where it belongs. */
const runEngine = async (engine: string, guest: string, options: Options): Promise<readonly Result[]> => {
  const { command, undo } = IN_MACHINE.includes(engine)
    ? machineSession(engine, guest, options)
    : sandbox(engine, guest, options)
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ENGINES_SUITE: options.suite, ENGINES_NAME: `${process.pid}-${engine}` },
  })
  const ended = new Promise<number | null>((done, failed) => {
    child.on('error', failed)
    child.on('close', done)
  })
  const results: Result[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const result = JSON.parse(line) as Result
    results.push(result)
    print(result)
  }
  const status = await ended
  undo()
  if (status === 0) return results
  const message = status === 125 ? 'something was left on the host' : `the sandbox ended with ${status}`
  const broken: Result = { engine, what: 'starts, and leaves nothing', status: 'failed', milliseconds: 0, message }
  print(broken)
  return [...results, broken]
}

/** More rows than these fail for a reason. */
const FEW = 6

const isFailed = (result: Result): boolean => wordFor(result) === 'FAILED'

/**
 * The results, with those of a second try of each engine of which a row failed: alone, because an engine loses what a short
 * container writes where two of them share the processors with a third. What passes only then is told.
 */
const withSecondTry = async (
  results: readonly Result[],
  run: (engine: string) => Promise<readonly Result[]>,
): Promise<readonly Result[]> => {
  const failed = results.filter(isFailed)
  if (failed.length === 0 || failed.length > FEW) return results
  let known = results
  for (const engine of new Set(failed.map((result) => result.engine))) {
    process.stdout.write(`\nonce more, alone: ${engine}\n`)
    const again = await run(engine)
    known = [...known.filter((result) => result.engine !== engine), ...again]
  }
  for (const { engine, what } of failed) process.stdout.write(`unsteady: ${engine}: ${what} failed beside others\n`)
  return known
}

/** What bears the name of this run's sandboxes on the host: cgroups, mounts, directories. */
const traces = (): readonly string[] => {
  const ours = (name: string): boolean => name.includes(`tsrunc-engines-${process.pid}`)
  const tree = '/sys/fs/cgroup'
  const below = readdirSync(tree, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const cgroups = below.flatMap(({ name }) => readdirSync(join(tree, name)).map((inner) => join(tree, name, inner)))
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return [...cgroups, ...below.map(({ name }) => name), ...mounts, ...readdirSync(tmpdir())].filter(ours)
}

const located = ({ engine, what, status, milliseconds, message }: Result): Located => {
  const host = HOSTS[`${engine}: ${what}`] ?? GAPS[`${engine}: ${what}`]
  return {
    file: join(__dirname, `${engine}.ts`),
    title: what,
    fullName: `${engine}: ${what}`,
    ancestorTitles: [engine],
    status: status === 'failed' && host !== undefined ? 'skipped' : status,
    duration: milliseconds,
    failureMessages: message === '' ? [] : [message],
    meta: status === 'failed' && host !== undefined ? { deviates: host } : {},
  }
}

const buildPlaces = ({ engines, suite }: Options): void => {
  if (engines.some((engine) => !IN_MACHINE.includes(engine)))
    execFileSync(join(__dirname, 'build'), { stdio: 'inherit', env: { ...process.env, ENGINES_SUITE: suite } })
  if (engines.some((engine) => IN_MACHINE.includes(engine)))
    execFileSync(join(REPOSITORY, 'spec-tests/vm/build'), { stdio: 'inherit' })
}

const main = async (): Promise<void> => {
  const options = readOptions()
  buildPlaces(options)
  const guest = await bundleGuest()
  const begin = Date.now()
  const first: Result[] = []
  // An emulated machine takes both processors, and engines lose the output of short containers where they get none.
  const machines = options.engines.filter((engine) => IN_MACHINE.includes(engine))
  const waiting = options.engines.filter((engine) => !IN_MACHINE.includes(engine))
  const work = async (): Promise<void> => {
    for (let engine = waiting.shift(); engine !== undefined; engine = waiting.shift()) {
      first.push(...(await runEngine(engine, guest, options)))
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
  for (const engine of machines) first.push(...(await runEngine(engine, guest, options)))
  const results = await withSecondTry(first, (engine) => runEngine(engine, guest, options))
  const left = traces()
  const failed = results.filter(isFailed)
  const gaps = results.filter((result) => wordFor(result) === 'gap')
  const hosts = results.filter((result) => wordFor(result) === 'host’s')
  for (const { engine, what } of gaps) {
    process.stdout.write(`gap: ${engine}: ${what}: ${GAPS[`${engine}: ${what}`]}\n`)
  }
  for (const { engine, what } of hosts) {
    process.stdout.write(`host’s: ${engine}: ${what}: ${HOSTS[`${engine}: ${what}`]}\n`)
  }
  const skipped = results.filter(({ status }) => status === 'skipped')
  const seconds = Math.round((Date.now() - begin) / 1000)
  process.stdout.write(
    `${results.length} rows, ${failed.length} failed, ${skipped.length} skipped, ${gaps.length} gaps, ${hosts.length} are the host’s; ${seconds} s\n`,
  )
  for (const line of left) process.stdout.write(`left on the host: ${line}\n`)
  if (options.results !== undefined) {
    mkdirSync(options.results, { recursive: true })
    const path = join(options.results, `engines-${basename(options.runtime)}.json`)
    writeFileSync(path, `${JSON.stringify(reportOf(results.map(located), begin))}\n`)
  }
  process.exitCode = failed.length > 0 || left.length > 0 || results.length === 0 ? 1 : 0
}

main().catch((error: Error) => {
  process.stderr.write(`engine-test: ${error.message}\n`)
  process.exitCode = 1
})
