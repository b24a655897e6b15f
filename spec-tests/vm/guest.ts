/**
 * Stands in for vitest in the machine, where loading vitest takes two minutes. Test files are bundled on the host with this
 * module as "vitest"; it has what spec-tests/lib/harness.ts uses of it. Each result is a line of JSON on the standard output.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Located, Meta, Status } from './report'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

interface Context {
  readonly task: { readonly meta: Writable<Meta> }
  readonly skip: (note: string) => never
}

interface Registered {
  readonly file: string
  readonly title: string
  readonly timeout: number
  readonly body: (context: Context) => Promise<void>
}

class Skipped extends Error {}

const registered: Registered[] = []
let file = ''

/** vitest's `test`. */
export const test = (title: string, options: { readonly timeout: number }, body: Registered['body']): void => {
  registered.push({ file, title, timeout: options.timeout, body })
}

const last: (() => void)[] = []

/** vitest's `afterAll`. */
export const afterAll = (step: () => void): void => {
  last.push(step)
}

/** The tests that are registered from now on belong to this file. */
export const inFile = (path: string): void => {
  file = path
}

const withTimeout = async (work: Promise<void>, milliseconds: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds)
  })
  try {
    await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

const run = async ({ file, title, timeout, body }: Registered): Promise<Located> => {
  const meta: Writable<Meta> = {}
  const skip = (note: string): never => {
    throw new Skipped(note)
  }
  const begin = Date.now()
  let status: Status = 'passed'
  const failureMessages: string[] = []
  try {
    await withTimeout(body({ task: { meta }, skip }), timeout)
  } catch (error) {
    status = error instanceof Skipped ? 'skipped' : 'failed'
    if (status === 'failed') {
      failureMessages.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }
  const duration = Date.now() - begin
  return { file, title, fullName: title, ancestorTitles: [], status, duration, failureMessages, meta }
}

/** Another process of this program for one of the machine's processors, with its results among our own. */
const startWorker = (list: string, index: number, count: number): Promise<void> => {
  const [program = ''] = process.argv.slice(1)
  const child = spawn(process.execPath, [program, 'run', list, String(index), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).on('line', (line) => process.stdout.write(`${line}\n`))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve())
  })
}

/** In the machine's memory, which begins anew with each run. */
const CLAIMS = '/run/spec-tests'

/** Whether the test is this process's to run, which one process hears. */
const claim = (index: number): boolean => {
  try {
    closeSync(openSync(join(CLAIMS, String(index)), 'wx'))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Runs the tests in the file `list`, in as many processes as there are processors: in each, one after the other.
 *
 * @param index, count which of how many processes this is; the first starts the others
 */
export const runTests = async (list: string, index = 0, count = availableParallelism()): Promise<void> => {
  mkdirSync(CLAIMS, { recursive: true })
  const others = index === 0 ? Array.from({ length: count - 1 }, (_, i) => startWorker(list, i + 1, count)) : []
  const wanted = JSON.parse(readFileSync(list, 'utf8')) as readonly { readonly file: string; readonly title: string }[]
  const titles = new Set(wanted.map(({ file, title }) => `${file}\n${title}`))
  const chosen = registered.filter(({ file, title }) => titles.has(`${file}\n${title}`))
  for (const [number, candidate] of chosen.entries()) {
    if (claim(number)) process.stdout.write(`${JSON.stringify(await run(candidate))}\n`)
  }
  for (const step of last) step()
  await Promise.all(others)
}

/** The titles of all registered tests, as lines of JSON. */
export const listTests = (): void => {
  for (const { file, title } of registered) {
    process.stdout.write(`${JSON.stringify({ file, title })}\n`)
  }
}
