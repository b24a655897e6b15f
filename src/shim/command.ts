/** Programs that the shim runs, each with a deadline and without holding up anything else. */
import { spawn } from 'node:child_process'
import { ShimError } from './errors'

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** What is said of it where it does not end. */
  readonly what: string
  readonly input?: string
  /** The name that the program is told. */
  readonly argv0?: string
  /** Milliseconds. */
  readonly timeout?: number
}

const MILLISECONDS = 120_000
/** Of each stream; what is longer is cut. */
const MOST_OUTPUT = 8 * 1024 * 1024
/** Until streams end which a descendant may hold. */
const DRAIN = 500
const SIGNALLED = 128

class Output {
  #chunks: Buffer[] = []
  #size = 0

  add(chunk: Buffer): void {
    if (this.#size < MOST_OUTPUT) this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}

/** @throws ShimError where it cannot be started, or takes too long and is killed */
export function run(program: string, args: readonly string[], options: CommandOptions): Promise<Outcome> {
  const { what, input, argv0, timeout = MILLISECONDS } = options
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(argv0 === undefined ? {} : { argv0 }),
    })
    const [stdout, stderr] = [new Output(), new Output()]
    child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk))
    let drain: NodeJS.Timeout | undefined
    const limit = setTimeout(() => {
      child.kill('SIGKILL')
      reject(
        new ShimError('deadlineExceeded', `${what}: ${program} ${args.join(' ')} has not ended within ${timeout} ms`),
      )
    }, timeout)
    const end = (status: number): void => {
      clearTimeout(limit)
      clearTimeout(drain)
      child.stdout?.destroy()
      child.stderr?.destroy()
      resolve({ status, stdout: stdout.text, stderr: stderr.text })
    }
    child.on('error', (error) => {
      clearTimeout(limit)
      reject(new ShimError('internal', `${what}: start ${program}: ${error.message}`))
    })
    child.on('exit', (code) => {
      drain = setTimeout(() => end(code ?? SIGNALLED), DRAIN)
    })
    child.on('close', (code) => end(code ?? SIGNALLED))
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** The last line that says something: the whole story of an error, for the user. */
export function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.at(-1)?.trim() ?? 'it said nothing'
}
