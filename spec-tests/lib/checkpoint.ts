import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { addBusybox, type Bundle, bundle, type CallOptions } from './bundle'
import type { Config } from './config'
import { patient } from './patience'
import { requires, requiresThat } from './requires'
import { sandbox } from './sandbox'
import { eventually, expectStatus, type Outcome, type Running } from './spawn'

const hasCriu = (): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, 'criu')))

/** Before every other need: only a machine that has it is asked for the others. */
export const requiresCriu = (): void => requiresThat(hasCriu(), 'criu')

/** Documentation/admin-guide/mm/soft-dirty.rst, which not every kernel is built with. */
export const criuTracksMemory = (): boolean =>
  spawnSync('criu', ['check', '--feature', 'mem_dirty_track'], { stdio: 'ignore' }).status === 0

/** Seconds between two programs of a shell that goes on and on: emulated, they would take all of a processor. */
const PAUSE = Math.min(patient(50), 500) / 1000

const COUNTER = `i=0; while true; do i=$((i + 1)); echo $i > /tmp/new; mv /tmp/new /tmp/count; sleep ${PAUSE}; done`

/** For a shell: prints "tick" for ever. */
export const TICKER = `while true; do echo tick; sleep ${PAUSE}; done`

/** How far the container of {@link counting} has counted. */
export const count = (b: Bundle): number => {
  const file = join(b.rootfs, 'tmp/count')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
}

export const countsBeyond = (b: Bundle, least: number): Promise<number | undefined> =>
  eventually(`a count beyond ${least}`, () => (count(b) > least ? count(b) : undefined))

interface Counting extends CallOptions {
  /** Of the shell, before it counts. */
  readonly first?: string
  readonly change?: (config: Config, b: Bundle) => void
}

/** A container that counts in a file of its own. */
export const counting = async ({ first = '', change, ...options }: Counting = {}): Promise<Bundle> => {
  requiresCriu()
  requires('root', 'busybox')
  const b = await bundle()
  addBusybox(b.rootfs)
  b.config.process.args = ['/bin/sh', '-c', `${first}${COUNTER}`]
  b.config.root.readonly = false
  change?.(b.config, b)
  b.save()
  await b.create(options)
  await b.start()
  await countsBeyond(b, 0)
  return b
}

export const images = (): string => join(sandbox().directory, 'images')

// The kernels of test machines do not all have what iptables needs.
const USUAL = ['--network-lock', 'skip']
const MILLISECONDS = 60_000

/** `checkpoint` into {@link images}, whatever its status. */
export const checkpoint = (b: Bundle, ...flags: readonly string[]): Promise<Outcome> =>
  b.tryCall('checkpoint', { flags: ['--image-path', images(), ...USUAL, ...flags], timeout: MILLISECONDS })

/** `restore` from {@link images}, without waiting for its end. */
export const launchRestore = (b: Bundle, ...flags: readonly string[]): Running =>
  b.launchRestore({ flags: ['--image-path', images(), ...USUAL, ...flags], timeout: MILLISECONDS })

/** The same, whatever its status. */
export const tryRestore = (b: Bundle, ...flags: readonly string[]): Promise<Outcome> =>
  launchRestore(b, '--detach', ...flags).exited

/** Saves a container that counts and lets it go on; it has counted further then. */
export const saveAndRestore = async (b: Bundle, ...flags: readonly string[]): Promise<void> => {
  expectStatus(await checkpoint(b))
  const saved = count(b)
  expectStatus(await tryRestore(b, ...flags))
  await countsBeyond(b, saved)
}
