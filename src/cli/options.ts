/** One option of a verb or of tsrunc itself. The parser, the help texts and the test of the man pages read it. */
export interface OptionDefinition {
  /** A boolean may be given as --name or --name=true|false; a string always takes a value, strings any number of times. */
  readonly type: 'boolean' | 'string' | 'strings'
  /** Single-letter form. */
  readonly short?: string
  /** Name of the value in help texts, for a string. */
  readonly value?: string
  readonly choices?: readonly string[]
  readonly description: string
}

export type OptionTable = Readonly<Record<string, OptionDefinition>>

interface ValueTypes {
  boolean: boolean
  string: string | undefined
  strings: readonly string[]
}

/** What a table's options were set to; false, undefined and an empty list where they were not given. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: ValueTypes[T[K]['type']]
}

export const GLOBAL_OPTIONS = {
  root: {
    type: 'string',
    value: 'DIR',
    description: 'directory of the state of containers (default: /run/tsrunc, unprivileged: $XDG_RUNTIME_DIR/tsrunc)',
  },
  log: {
    type: 'string',
    value: 'FILE',
    description: 'append log lines to this file (FILE or file:FILE), or send them: journald:NAME, syslog:NAME',
  },
  trace: {
    type: 'string',
    value: 'FILE',
    description: 'write where the time goes into this file, as Chrome trace events (Perfetto, chrome://tracing)',
  },
  'log-format': { type: 'string', value: 'FORMAT', choices: ['text', 'json'], description: 'format of log lines' },
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    choices: ['error', 'warning', 'info', 'debug'],
    description: 'least level of log lines (default: warning)',
  },
  debug: { type: 'boolean', description: 'the same as --log-level debug' },
  'systemd-cgroup': { type: 'boolean', description: 'the same as --cgroup-manager systemd' },
  'cgroup-manager': {
    type: 'string',
    value: 'MANAGER',
    choices: ['cgroupfs', 'systemd', 'disabled'],
    description: 'who makes cgroups (default: cgroupfs)',
  },
  rootless: {
    type: 'string',
    value: 'WHEN',
    choices: ['true', 'false', 'auto'],
    description: 'whether the caller is taken for unprivileged (default: auto)',
  },
  planner: {
    type: 'string',
    value: 'WHEN',
    choices: ['on', 'auto', 'wait', 'off'],
    description: 'whether create, run, exec and update ask the planner of --root (default: $TSRUNC_PLANNER, or auto)',
  },
  version: { type: 'boolean', short: 'v', description: 'print the version' },
  help: { type: 'boolean', short: 'h', description: 'print this help' },
} as const satisfies OptionTable

export type GlobalValues = OptionValues<typeof GLOBAL_OPTIONS>
