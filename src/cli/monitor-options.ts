import type { MonitorLaunch } from '../plan/wire'
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
} as const satisfies OptionTable

type MonitorValues = OptionValues<typeof MONITOR_OPTIONS>

const NEEDS_MONITOR = ['stdin', 'stdout', 'stderr', 'interactive'] as const

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
  }
}

/** The same for a container's first process. */
export const containerMonitor = (call: Call, values: MonitorValues & Console, detach: boolean): MonitorLaunch =>
  monitorLaunch(call, values, detach, 'init')
