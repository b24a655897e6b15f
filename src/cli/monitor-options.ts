import { quote } from '../errors'
import { LOG_DRIVER, type MonitorLaunch } from '../plan/wire'
import { absolute } from './container-options'
import type { OptionTable, OptionValues } from './options'
import { UsageError } from './parse'
import type { Call } from './verb'

/** What create, run and exec have in common where the process is to have a monitor. */
export const MONITOR_OPTIONS = {
  monitor: {
    type: 'boolean',
    description: 'leave a monitor: it holds the streams and the terminal, serves attach, and notes the exit code',
  },
  stdin: {
    type: 'string',
    value: 'FILE',
    description: 'with --monitor: file or fifo that standard input is read from',
  },
  stdout: { type: 'string', value: 'FILE', description: 'with --monitor: file or fifo that gets standard output' },
  stderr: { type: 'string', value: 'FILE', description: 'with --monitor: file or fifo that gets standard error' },
  interactive: {
    type: 'boolean',
    short: 'i',
    description: 'with --monitor: standard input stays open for those who attach',
  },
  'log-driver': {
    type: 'string',
    value: 'DRIVER',
    choices: ['none', 'raw', 'k8s-file', 'json-file'],
    description: 'with --monitor: the format of the log of its output (default: none)',
  },
  'log-path': { type: 'string', value: 'FILE', description: 'the file of --log-driver' },
  'log-size-max': { type: 'string', value: 'BYTES', description: 'begin the log anew when it would become larger' },
  'log-files-max': { type: 'string', value: 'N', description: 'with --log-size-max: keep N files in all (default: 1)' },
} as const satisfies OptionTable

type MonitorValues = OptionValues<typeof MONITOR_OPTIONS>

const NEEDS_MONITOR = ['stdin', 'stdout', 'stderr', 'interactive', 'log-driver'] as const
const NEEDS_DRIVER = ['log-path', 'log-size-max', 'log-files-max'] as const

const MOST_FILES = 1000

/** Errors: UsageError for what is no number from 1 on. */
function count(
  values: MonitorValues,
  option: 'log-size-max' | 'log-files-max',
  otherwise: number,
  most: number,
): number {
  const value = values[option]
  const number = value === undefined ? otherwise : /^[1-9]\d{0,15}$/.test(value) ? Number(value) : Number.NaN
  if (!(number <= most))
    throw new UsageError(`invalid value ${quote(value ?? '')} of --${option}: a number up to ${most}`)
  return number
}

/** Errors: UsageError. */
function logOf(cwd: string, values: MonitorValues) {
  const driver = values['log-driver'] ?? 'none'
  const path = absolute(cwd, values['log-path'])
  const given = NEEDS_DRIVER.find((option) => values[option] !== undefined)
  if (driver === 'none' && given !== undefined) throw new UsageError(`--${given} needs --log-driver`)
  if (driver !== 'none' && path === undefined) throw new UsageError(`--log-driver ${driver} needs --log-path`)
  return {
    logDriver: LOG_DRIVER[driver as keyof typeof LOG_DRIVER],
    logPath: path ?? '',
    logSizeMax: BigInt(count(values, 'log-size-max', 0, Number.MAX_SAFE_INTEGER)),
    logFilesMax: count(values, 'log-files-max', 1, MOST_FILES),
  }
}

type Console = { readonly 'console-socket': string | undefined }

/**
 * The monitor's part of a launch. `detach`: the caller does not stay. `name`: of the monitor's directory.
 *
 * Errors: UsageError.
 */
export function monitorLaunch(
  { cwd }: Call,
  values: MonitorValues & Console,
  detach: boolean,
  name: string,
): MonitorLaunch {
  const given = NEEDS_MONITOR.find((option) => values[option] !== undefined && values[option] !== false)
  if (!values.monitor && given !== undefined) throw new UsageError(`--${given} needs --monitor`)
  if (values.monitor && !detach) throw new UsageError('--monitor needs --detach')
  if (values.monitor && values['console-socket'] !== undefined) {
    throw new UsageError('--monitor and --console-socket cannot both have the terminal')
  }
  return {
    monitor: values.monitor ? name : '',
    monitorStdin: absolute(cwd, values.stdin) ?? '',
    monitorStdout: absolute(cwd, values.stdout) ?? '',
    monitorStderr: absolute(cwd, values.stderr) ?? '',
    monitorInteractive: values.interactive,
    ...logOf(cwd, values),
  }
}

/** The same for a container's first process. */
export const containerMonitor = (call: Call, values: MonitorValues & Console, detach: boolean): MonitorLaunch =>
  monitorLaunch(call, values, detach, 'init')
