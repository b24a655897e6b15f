import { closeSync, constants as open, openSync, writeSync } from 'node:fs'
import { TsruncError } from '../errors'

/** See native/launcher/trace_file.h, which also writes the format. */
const TRACE_VARIABLE = '_TSRUNC_TRACE'
/** Not to wait for the reader of a fifo that has none, fifo(7). */
const FLAGS = open.O_WRONLY | open.O_CREAT | open.O_TRUNC | open.O_APPEND | open.O_NOCTTY | open.O_NONBLOCK
/** So many are kept in memory: a planner goes on for ever. */
const MOST_LINES = 1000
const TRACE_FILE = Symbol.for('tsrunc.trace')
const MICROSECOND = 1000
const MILLISECOND = 1_000_000n

/** Nanoseconds of CLOCK_MONOTONIC. */
type Time = bigint

interface TraceFile {
  readonly fd: number
  readonly verb: string
  /** Of the call. */
  readonly begin: Time
  /** When the launcher became node. */
  readonly exec: Time
  lines: string[]
}

/** One a process, and not one a module: a verb that is a file of its own has modules of its own. */
const shared = globalThis as { [TRACE_FILE]?: TraceFile | undefined }

const now = (): Time => process.hrtime.bigint()

const microseconds = (time: Time): number => Number(time) / MICROSECOND

function event(category: string, name: string, begin: Time, end: Time): string {
  const { pid } = process
  return JSON.stringify({
    ph: 'X',
    cat: category,
    name,
    pid,
    tid: pid,
    ts: microseconds(begin),
    dur: microseconds(end > begin ? end - begin : 0n),
  })
}

/** Node's own start, as it tells it, and that of tsrunc's JavaScript. */
function startOfNode(exec: Time): readonly string[] {
  const { bootstrapComplete } = performance.nodeTiming
  const since = BigInt(Math.round((performance.now() - bootstrapComplete) * Number(MILLISECOND)))
  const at = now()
  // The two clocks are read one after the other, between which a busy host may do something else.
  const up = at - since > exec ? at - since : exec
  return [event('node', 'start of node', exec, up), event('node', 'load tsrunc', up, at)]
}

/** What the launcher noted, or times of this process where node was started by hand. */
function beginning(environment: Readonly<Record<string, string | undefined>>): { begin: Time; exec: Time } {
  const words = /^-1:(\d+):(\d+):0$/.exec(environment[TRACE_VARIABLE] ?? '')
  if (words !== null) return { begin: BigInt(words[1] ?? 0), exec: BigInt(words[2] ?? 0) }
  const start = now() - BigInt(Math.round(performance.now() * Number(MILLISECOND)))
  return { begin: start, exec: start }
}

/**
 * Make or empty the file of --trace; from then on this process records.
 *
 * Errors: TRACE_FILE.
 */
export function openTrace(path: string, verb: string, environment: Readonly<Record<string, string | undefined>>): void {
  const times = beginning(environment)
  let fd: number
  try {
    fd = openSync(path, FLAGS, 0o644)
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    const reason = /^\w+: (.*?), open/.exec(message)?.[1] ?? message
    throw new TsruncError('TRACE_FILE', `open the file of --trace: open ${path}: ${reason} (${code})`, { cause })
  }
  const { pid } = process
  const name = JSON.stringify({ ph: 'M', name: 'process_name', pid, tid: pid, args: { name: `tsrunc ${verb}` } })
  shared[TRACE_FILE] = { fd, verb, ...times, lines: [`[\n${name}`, ...startOfNode(times.exec)] }
}

/** What `action` returns; how long it took is recorded where the call is traced. */
export function traced<T>(name: string, action: () => T): T {
  const file = shared[TRACE_FILE]
  if (file === undefined) return action()
  const begin = now()
  try {
    return action()
  } finally {
    file.lines.push(event('node', name, begin, now()))
    if (file.lines.length > MOST_LINES) writeOut(file)
  }
}

function write({ fd }: TraceFile, lines: readonly string[]): void {
  const bytes = Buffer.from(lines.join(',\n'))
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
}

/** What follows will follow these lines. A failure is the next writer's as well, who tells it at the end of the call. */
function writeOut(file: TraceFile): void {
  const { lines } = file
  file.lines = ['']
  try {
    write(file, lines)
  } catch {
    // See above.
  }
}

/** Write what was recorded. For the program that goes on: the value of the variable, empty where nobody traces. */
export function leaveTrace(): string {
  const file = shared[TRACE_FILE]
  if (file === undefined) return ''
  const { fd, begin, exec } = file
  writeOut(file)
  return `${fd}:${begin}:${exec}:${now()}`
}

/** The call ends here: write the rest. Returns why it could not be written. */
export function endTrace(): string | undefined {
  const file = shared[TRACE_FILE]
  if (file === undefined) return undefined
  delete shared[TRACE_FILE]
  const { fd, verb, begin, exec, lines } = file
  const at = now()
  const whole = [
    event('launcher', 'start node', begin, exec),
    event('node', 'node', exec, at),
    event('verb', verb, begin, at),
  ]
  try {
    write(file, [...lines, `${whole.join(',\n')}\n]\n`])
    closeSync(fd)
  } catch (error) {
    return (error as Error).message
  }
  return undefined
}
