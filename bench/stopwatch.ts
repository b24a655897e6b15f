import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** One command, run once. */
export interface Measurement {
  /** Microseconds from before fork to after wait. */
  readonly wall: number
  /** Microseconds of processor time, of the command and of every child it waited for. */
  readonly cpu: number
  /** KiB: the largest resident size that the command, or a child it waited for, ever had. */
  readonly peak: number
  /** Exit code, or 128 + signal. */
  readonly status: number
  /** Page faults; 0 where several ran at once. */
  readonly faults: number
}

/** The environment of everything that is measured. node parses NODE_EXTRA_CA_CERTS at every start, which costs it as
 *  much as all the rest of its start, and no engine sets it for a runtime. */
export function measuredEnvironment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env
  // Of what a planner costs and saves nothing is measured here: none may be left behind by a call.
  return { ...rest, TSRUNC_PLANNER: 'off' }
}

/** Client of stopwatch.cc: one long-lived process that starts and times the commands. */
export class Stopwatch {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>
  readonly #errors: string
  readonly #ended: Promise<unknown>

  /** @param executable the built stopwatch. @param errors path of the file that takes the commands' standard error. */
  constructor(executable: string, errors: string) {
    this.#errors = errors
    this.#process = spawn(executable, [errors], { stdio: ['pipe', 'pipe', 'inherit'], env: measuredEnvironment() })
    this.#ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#lines = createInterface({ input: this.#process.stdout })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** Runs `argv` (argv[0] an absolute path) once. @throws Error when it ends with another status than `expected`. */
  async run(argv: readonly string[], expected = 0): Promise<Measurement> {
    return this.#measurement(await this.#ask(['run', ...argv]), argv, expected)
  }

  /** Runs `count` times `argv`, all at once; "%" in a word stands for the number of the run.
   *  @throws Error when one of them fails. */
  async runAtOnce(count: number, argv: readonly string[]): Promise<readonly Measurement[]> {
    const answer = await this.#ask(['many', String(count), ...argv])
    return answer.split(' ').map((each) => this.#measurement(each, argv, 0))
  }

  #measurement(answer: string, argv: readonly string[], expected: number): Measurement {
    const [wall, user, system, peak, status, faults = 0] = answer.split('\t').map(Number)
    if (wall === undefined || user === undefined || system === undefined || peak === undefined) {
      throw new Error(`stopwatch could not run ${argv.join(' ')}`)
    }
    if (status !== expected) {
      const said = readFileSync(this.#errors, 'utf8').trim()
      throw new Error(`${argv.join(' ')}: exit status ${status}, not ${expected}: ${said}`)
    }
    return { wall: wall / 1000, cpu: user + system, peak, status, faults }
  }

  /** Waits until the orphan `pid` that an earlier command left has ended. @throws Error after five seconds. */
  async reap(pid: number): Promise<void> {
    const answer = await this.#ask(['reap', String(pid)])
    if (answer !== 'ok') throw new Error(`stopwatch: ${answer}`)
  }

  /** Ends the process, which may have ended already. */
  async close(): Promise<void> {
    this.#process.stdin.end()
    await this.#ended
    this.#lines.close()
  }

  async #ask(fields: readonly string[]): Promise<string> {
    if (fields.some((field) => /[\t\n]/.test(field) || field === '')) {
      throw new Error(`stopwatch takes no empty fields, tabs or line ends: ${JSON.stringify(fields)}`)
    }
    this.#process.stdin.write(`${fields.join('\t')}\n`)
    const answer = await this.#answers.next()
    if (answer.done === true) throw new Error('stopwatch ended')
    return answer.value
  }
}
