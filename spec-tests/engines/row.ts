import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One check of what an engine does with the runtime. */
export interface Row {
  readonly engine: string
  /** In the words of the engine's users. */
  readonly what: string
  /** What of the runtime it cannot do without, besides create, start, kill and delete. */
  readonly verbs: readonly string[]
  /** @throws Error when the effect is not there */
  readonly check: () => Promise<void>
}

/** An engine, started once for its rows. */
export interface Engine {
  readonly name: string
  /** Starts daemons and loads the image. They end with the sandbox. */
  readonly begin: (runtime: string) => Promise<void>
  /** Removes what a row that failed may have left, so that later ones do not fail with it. */
  readonly reset?: () => Promise<void>
  readonly rows: readonly Row[]
}

export interface Outcome {
  readonly command: readonly string[]
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Milliseconds until it is killed and the row fails. */
  readonly timeout?: number
}

const OUTPUT = '/tmp/output'
const DEFAULT_TIMEOUT = 60_000
let sequence = 0

/** A number for names that no other row uses. */
export const next = (): number => {
  sequence += 1
  return sequence
}

/** Files, not pipes: an exit is not to wait for what a container keeps open. */
const outputs = (name: string): readonly [number, number] => {
  mkdirSync(OUTPUT, { recursive: true })
  return [openSync(`${name}.out`, 'w'), openSync(`${name}.err`, 'w')]
}

/** Runs a program to its end, whatever its status. */
export const attempt = (command: readonly string[], options: CommandOptions = {}): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const name = join(OUTPUT, String(next()))
    const [out, err] = outputs(name)
    const [program = '', ...args] = command
    const child = spawn(program, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', out, err],
      env: { ...process.env, ...options.env },
    })
    closeSync(out)
    closeSync(err)
    const timeout = options.timeout ?? DEFAULT_TIMEOUT
    const read = (suffix: string): string => readFileSync(`${name}.${suffix}`, 'utf8')
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`no end after ${timeout} ms: ${command.join(' ')}\n${read('out')}${read('err')}`))
    }, timeout)
    child.on('error', reject)
    child.on('exit', (status) => {
      clearTimeout(timer)
      resolve({ command, status: status ?? 128, stdout: read('out'), stderr: read('err') })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input)
  })

/** @throws Error with what it printed, when the status is another one */
export const expectStatus = (outcome: Outcome, status: number): Outcome => {
  if (outcome.status !== status) {
    const { command, stdout, stderr } = outcome
    throw new Error(`status ${outcome.status} instead of ${status}: ${command.join(' ')}\n${stdout}${stderr}`)
  }
  return outcome
}

/** Runs a program that must succeed, and returns its output without the newline at its end. */
export const run = async (command: readonly string[], options: CommandOptions = {}): Promise<string> =>
  expectStatus(await attempt(command, options), 0).stdout.trimEnd()

/** The same on a terminal of its own; what it prints ends lines with CR LF there. */
export const runOnTerminal = async (command: readonly string[], options: CommandOptions = {}): Promise<string> => {
  const line = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  return (await run(['script', '--quiet', '--return', '--command', line, '/dev/null'], options)).replaceAll('\r', '')
}

/** Starts a daemon, which ends with the sandbox. */
export const startDaemon = (command: readonly string[], env: Readonly<Record<string, string>> = {}): (() => string) => {
  const name = join(OUTPUT, `daemon-${next()}`)
  const [out, err] = outputs(name)
  const [program = '', ...args] = command
  spawn(program, args, { stdio: ['ignore', out, err], env: { ...process.env, ...env } }).unref()
  closeSync(out)
  closeSync(err)
  return () => readFileSync(`${name}.err`, 'utf8').split('\n').slice(-15).join('\n')
}

export const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Asks until the answer is true; what an error of the question says belongs to the failure. */
export const eventually = async (what: string, ask: () => Promise<boolean>, timeout = 30_000): Promise<void> => {
  const end = Date.now() + timeout
  for (;;) {
    let why = ''
    try {
      if (await ask()) return
    } catch (error) {
      why = `: ${(error as Error).message}`
    }
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${what}${why}`)
    await delay(100)
  }
}
