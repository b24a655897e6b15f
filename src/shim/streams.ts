/** Where a process's standard streams go: fifos of containerd, files, or a program that takes logs. */
import { spawn } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ShimError } from './errors'
import type { Runtime } from './runtime'
import type { Streams } from './store'

const NOWHERE = '/dev/null'
const READY_MILLISECONDS = 10_000
/** A program that ends closes its descriptors a moment before it is known to have ended. */
const DYING_MILLISECONDS = 50

/** A logging program that has its end of the fifos. */
export interface Prepared {
  /** Words for tsrunc. */
  readonly args: readonly string[]
  /** The monitor has opened its ends, or will not. */
  readonly settle: () => void
  /** Nothing has come of it: the program ends. */
  readonly abandon: () => void
}

function parse(uri: string): URL | undefined {
  try {
    return new URL(uri)
  } catch {
    return undefined
  }
}

/** A path that a monitor opens. */
function pathOf(uri: string): string {
  if (uri === '') return NOWHERE
  if (uri.startsWith('/')) return uri
  const url = parse(uri)
  if (url === undefined || (url.protocol !== 'fifo:' && url.protocol !== 'file:')) {
    throw new ShimError(
      'invalidArgument',
      `output ${JSON.stringify(uri)}: a path, or one of fifo://, file://, binary://`,
    )
  }
  const path = decodeURIComponent(url.pathname)
  if (url.protocol === 'file:') mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  return path
}

function words(stdin: string, stdout: string, stderr: string, terminal: boolean): readonly string[] {
  return ['--stdin', stdin, '--stdout', stdout, ...(terminal ? [] : ['--stderr', stderr])]
}

const isReady = (program: string, stream: NodeJS.ReadableStream): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new ShimError('deadlineExceeded', `${program} was not ready within ${READY_MILLISECONDS} ms`)),
      READY_MILLISECONDS,
    )
    const end = (pause: number) => (): void => {
      clearTimeout(timer)
      setTimeout(resolve, pause)
    }
    stream.on('data', end(0))
    stream.on('close', end(DYING_MILLISECONDS))
    stream.on('error', end(DYING_MILLISECONDS))
  })

/** The program gets the outputs as its descriptors 3 and 4, and says on 5 that it is ready (containerd's docs). */
async function startLogger(runtime: Runtime, uri: string, place: string, container: string): Promise<Prepared> {
  const url = parse(uri)
  if (url === undefined) throw new ShimError('invalidArgument', `output ${JSON.stringify(uri)} is no URI`)
  const program = decodeURIComponent(url.pathname)
  const fifos = ['stdout', 'stderr'].map((name) => join(place, name))
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true, mode: 0o700 })
  await runtime.makeFifos(fifos)
  // Held until the monitor has its own ends: without a writer the program would read the end at once.
  const held = fifos.map((path) => openSync(path, constants.O_RDWR))
  const ends = fifos.map((path) => openSync(path, constants.O_RDONLY))
  const args = [...url.searchParams].flat()
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'ignore', ...ends, 'pipe'],
    detached: true,
    env: { ...process.env, CONTAINER_ID: container, CONTAINER_NAMESPACE: runtime.namespace },
  })
  for (const fd of ends) closeSync(fd)
  const settle = (): void => {
    for (const fd of held.splice(0)) closeSync(fd)
  }
  const failed = new Promise<never>((_, reject) => {
    child.on('error', (error) => reject(new ShimError('failedPrecondition', `start ${program}: ${error.message}`)))
    child.on('exit', (code) => reject(new ShimError('failedPrecondition', `${program} has ended with ${code}`)))
  })
  failed.catch(() => undefined)
  const ready = (child.stdio as readonly unknown[])[5] as NodeJS.ReadableStream | null | undefined
  try {
    if (ready) await Promise.race([isReady(program, ready), failed])
  } catch (error) {
    settle()
    child.kill('SIGKILL')
    throw error
  }
  child.unref()
  const [out = NOWHERE, err = NOWHERE] = fifos
  return { args: [out, err], settle, abandon: () => child.kill('SIGKILL') }
}

/** @param place a directory of the process's own, for what has to be made */
export async function prepare(runtime: Runtime, streams: Streams, place: string, container: string): Promise<Prepared> {
  const { stdin, stdout, stderr, terminal } = streams
  if (!stdout.startsWith('binary://')) {
    const args = words(pathOf(stdin), pathOf(stdout), pathOf(stderr), terminal)
    return { args, settle: () => undefined, abandon: () => undefined }
  }
  const logger = await startLogger(runtime, stdout, place, container)
  const [out = NOWHERE, err = NOWHERE] = logger.args
  return { ...logger, args: words(pathOf(stdin), out, err, terminal) }
}
