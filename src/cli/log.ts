import { appendFileSync, writeSync } from 'node:fs'
import { oneLine } from '../errors'
import { binding } from '../native/binding'
import type { GlobalValues } from './options'

/** Where lines for a person go; stderr has all errors and warnings in any case. */
export interface Log {
  readonly file: string | undefined
  /** "journald:NAME" or "syslog:NAME", in the place of a file. */
  readonly service?: string | undefined
  readonly json: boolean
  readonly level: Level
  /** Who writes the lines instead: the caller of a planner. */
  readonly sink?: LogSink
}

export interface LogSink {
  /** Of a line that is to have one. */
  time(): Date
  stderr(text: string): void
  file(path: string, line: string): void
}

export type Level = 'error' | 'warning' | 'info' | 'debug'

const SEVERITY: Readonly<Record<Level, number>> = { error: 0, warning: 1, info: 2, debug: 3 }
/** syslog(3). */
const PRIORITY: Readonly<Record<Level, number>> = { error: 3, warning: 4, info: 6, debug: 7 }
const STDERR = 2

export function logOf(globals: GlobalValues): Log {
  const service = /^(?:journald|syslog):/.test(globals.log ?? '') ? globals.log : undefined
  const file = service === undefined ? globals.log?.replace(/^file:/, '') : undefined
  return {
    file: file === '' ? undefined : file,
    service,
    json: globals['log-format'] === 'json',
    level: globals.debug ? 'debug' : ((globals['log-level'] as Level | undefined) ?? 'warning'),
  }
}

/** One line as callers parse it: containerd and Podman show the last one of level error to the user. */
export function formatLine(log: Pick<Log, 'json'>, level: Level, message: string, time: Date): string {
  const at = `${time.toISOString().slice(0, 19)}Z`
  return log.json
    ? `${JSON.stringify({ level, msg: message, time: at })}\n`
    : `time="${at}" level=${level} msg=${JSON.stringify(message)}\n`
}

/** Write to stderr. A caller that has closed it, or a full pipe nobody reads, must not replace the error itself. */
function writeStderr(text: string): void {
  try {
    writeSync(STDERR, text)
  } catch {
    // There is nobody left to tell.
  }
}

/** Append to the log file. Errors: none; that it cannot be written is said on stderr. */
function writeFile(file: string, line: string): void {
  try {
    appendFileSync(file, line, { mode: 0o644 })
  } catch (error) {
    writeStderr(`tsrunc: log file ${file}: ${(error as Error).message}\n`)
  }
}

/** Errors: none, as with a file. */
function send(service: string, level: Level, message: string): void {
  try {
    binding().sendLog(service, PRIORITY[level], message)
  } catch (error) {
    writeStderr(`tsrunc: --log ${service}: ${(error as Error).message}\n`)
  }
}

const OWN_SINK: LogSink = { time: () => new Date(), stderr: writeStderr, file: writeFile }

/** `prefix`: "tsrunc create". The sentence goes to the log as a line and to stderr as it is. */
export function writeLog(log: Log, level: Level, prefix: string, message: string): void {
  if (SEVERITY[level] > SEVERITY[log.level]) return
  const text = oneLine(message)
  const sentence = level === 'error' ? `${prefix}: ${text}` : `${prefix}: ${level}: ${text}`
  const sink = log.sink ?? OWN_SINK
  // The first Date of a process reads the time zone, which takes longer than all the rest: only lines with a time have one.
  const line = () => formatLine(log, level, `${prefix}: ${text}`, sink.time())
  if (log.file !== undefined) sink.file(log.file, line())
  if (log.service !== undefined) send(log.service, level, `${prefix}: ${text}`)
  const elsewhere = log.file !== undefined || log.service !== undefined
  sink.stderr(!elsewhere && log.json ? line() : `${sentence}\n`)
}
