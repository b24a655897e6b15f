/** Programs that the shim runs, each with a deadline and without holding up anything else. */
import { binding } from '../native/binding'
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
  /** The name by which the program is called. */
  readonly argv0?: string
  /** Milliseconds. */
  readonly timeout?: number
}

const MILLISECONDS = 120_000
/** Of each stream; what is longer is cut. */
const MOST_OUTPUT = 8 * 1024 * 1024

/** @throws ShimError where it cannot be started, or takes too long and is killed */
export function run(program: string, args: readonly string[], options: CommandOptions): Promise<Outcome> {
  const { what, input, argv0 = program, timeout = MILLISECONDS } = options
  return new Promise((resolve, reject) => {
    let limit: NodeJS.Timeout | undefined
    const start = (): number =>
      binding().runProgram({
        file: program,
        argv: [argv0, ...args],
        input: input === undefined ? undefined : Buffer.from(input),
        most: MOST_OUTPUT,
        done: (status, stdout, stderr) => {
          clearTimeout(limit)
          resolve({ status, stdout, stderr })
        },
      })
    try {
      const pid = start()
      limit = setTimeout(() => {
        process.kill(pid, 'SIGKILL')
        const words = `${what}: ${program} ${args.join(' ')} has not ended within ${timeout} ms`
        reject(new ShimError('deadlineExceeded', words))
      }, timeout)
    } catch (error) {
      reject(new ShimError('internal', `${what}: start ${program}: ${(error as Error).message}`))
    }
  })
}

/** The last line that says something: the whole story of an error, for the user. */
export function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.at(-1)?.trim() ?? 'it said nothing'
}
