import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { patient } from './patience'
import { reapTool } from './programs'

/** How a program ended and what it printed until then. */
export interface Outcome {
  readonly command: readonly string[]
  /** The exit status; 128 plus the number of the signal that ended it. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface SpawnOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What the program reads: a path to open, a descriptor, or nothing. */
  readonly stdin?: string | number
  /** Descriptors to hand on as 3, 4, …: they are duplicated in that order. */
  readonly fds?: readonly number[]
  /** A command that becomes the program in other surroundings, as `nsenter` does; the program's own words follow. */
  readonly within?: readonly string[]
  /** Milliseconds until it is killed and the call fails, on a machine of usual speed. */
  readonly timeout?: number
}

/** A program that runs, its output going to two files that can be read at any time. */
export interface Running {
  readonly pid: Promise<number>
  /** Lives as long as the program or anything that it started. */
  readonly reaper: ChildProcess
  readonly exited: Promise<Outcome>
  readonly stdout: () => string
  readonly stderr: () => string
  readonly kill: (signal: NodeJS.Signals) => Promise<void>
}

const DEFAULT_TIMEOUT = 20_000

/** Calls back with each line of a stream. */
const onLines = (stream: Readable, take: (line: string) => void): void => {
  let pending = ''
  stream.on('data', (data: Buffer) => {
    const lines = (pending + data.toString()).split('\n')
    pending = lines.pop() ?? ''
    lines.forEach(take)
  })
}

const spawnUnderReaper = (command: readonly string[], output: string, options: SpawnOptions): ChildProcess => {
  const out = openSync(`${output}.out`, 'a')
  const err = openSync(`${output}.err`, 'a')
  const stdin = typeof options.stdin === 'number' ? options.stdin : openSync(options.stdin ?? '/dev/null', 'r')
  const fds = options.fds ?? []
  const child = spawn(reapTool(), [String(3 + fds.length), ...(options.within ?? []), ...command], {
    stdio: [stdin, out, err, ...fds, 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    // In a session of its own: kill(2) of process 0, which a runtime without a pid may call, ends the caller's whole group.
    detached: true,
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  })
  closeSync(out)
  closeSync(err)
  if (typeof options.stdin !== 'number') {
    closeSync(stdin)
  }
  return child
}

/**
 * Starts a program. Its standard output and error are files, not pipes, so that `exited` does not wait for a container that
 * keeps them open after the runtime is gone. Orphans are adopted and reaped.
 *
 * @param command program and arguments
 * @param output path prefix of the two files, `.out` and `.err`
 */
export const start = (command: readonly string[], output: string, options: SpawnOptions = {}): Running => {
  const reaper = spawnUnderReaper(command, output, options)
  const report = reaper.stdio[3 + (options.fds ?? []).length] as Readable
  const read = (suffix: string) => () => readFileSync(`${output}.${suffix}`, 'utf8')
  const stdout = read('out')
  const stderr = read('err')
  let tellPid: (pid: number) => void = () => undefined
  const pid = new Promise<number>((resolve) => {
    tellPid = resolve
  })
  let ended = false
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const number = await pid
    // After its end the number may be another program's.
    if (!ended) {
      process.kill(number, signal)
    }
  }
  const timeout = patient(options.timeout ?? DEFAULT_TIMEOUT)
  const exited = new Promise<Outcome>((resolve, reject) => {
    const timer = setTimeout(() => {
      void kill('SIGKILL')
      reject(new Error(`no end after ${timeout} ms: ${command.join(' ')}\nstdout: ${stdout()}\nstderr: ${stderr()}`))
    }, timeout)
    onLines(report, (line) => {
      const value = Number(line.slice(2))
      if (line.startsWith('P')) {
        tellPid(value)
      } else {
        clearTimeout(timer)
        ended = true
        try {
          resolve({ command, status: value, stdout: stdout(), stderr: stderr() })
        } catch (error) {
          // The sandbox of its test has been taken away.
          reject(error)
        }
      }
    })
    reaper.on('error', reject)
    report.on('end', () => {
      clearTimeout(timer)
      reject(new Error(`its reaper was ended from outside: ${command.join(' ')}`))
    })
  })
  exited.catch(() => undefined)
  return { pid, reaper, exited, stdout, stderr, kill }
}

/** @throws Error with everything the program printed, when its status is another one. */
export const expectStatus = (outcome: Outcome, status = 0): Outcome => {
  if (outcome.status !== status) {
    throw new Error(
      `exit status ${outcome.status} instead of ${status}: ${outcome.command.join(' ')}\n` +
        `stdout: ${outcome.stdout}\nstderr: ${outcome.stderr}`,
    )
  }
  return outcome
}

/** Whether it was started and has not ended, as far as this process has heard. */
export const alive = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null

export const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Asks every 10 ms until the answer is no longer undefined or false. */
export const eventually = async <T>(what: string, ask: () => T | undefined | false, timeout = 5_000): Promise<T> => {
  const end = Date.now() + patient(timeout)
  for (;;) {
    const answer = ask()
    if (answer !== undefined && answer !== false) {
      return answer
    }
    if (Date.now() > end) {
      throw new Error(`not within ${patient(timeout)} ms: ${what}`)
    }
    await delay(10)
  }
}
