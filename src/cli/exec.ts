import { resolve } from 'node:path'
import { type ExecOptions, planExec } from '../container/exec'
import { defaultRoot } from '../container/root'
import { quote } from '../errors'
import { ACTION } from '../plan/wire'
import { absolute, preserveFds } from './container-options'
import { launchPlan } from './launch'
import { MONITOR_OPTIONS, monitorLaunch } from './monitor-options'
import type { OptionTable, OptionValues } from './options'
import { UsageError } from './parse'
import { type Call, defineVerb } from './verb'

const options = {
  process: {
    type: 'string',
    short: 'p',
    value: 'FILE',
    description: 'the process as JSON, as in config.json; the other options change it',
  },
  cwd: { type: 'string', value: 'DIR', description: 'working directory, an absolute path in the container' },
  env: { type: 'strings', short: 'e', value: 'NAME=VALUE', description: 'add a variable; may be given several times' },
  user: { type: 'string', short: 'u', value: 'UID[:GID]', description: 'user and group, as numbers' },
  'additional-gids': {
    type: 'strings',
    short: 'g',
    value: 'GID',
    description: 'add a supplementary group; may be given several times',
  },
  tty: { type: 'boolean', short: 't', description: 'give the process a terminal' },
  detach: { type: 'boolean', short: 'd', description: 'return once the program runs' },
  'pid-file': { type: 'string', value: 'FILE', description: 'write the process id to this file' },
  'console-socket': {
    type: 'string',
    value: 'SOCKET',
    description: 'AF_UNIX socket that is sent the master of the terminal',
  },
  'pidfd-socket': {
    type: 'string',
    value: 'SOCKET',
    description: 'AF_UNIX socket that is sent a pidfd of the process',
  },
  'preserve-fds': {
    type: 'string',
    value: 'N',
    description: 'pass N descriptors from 3 on, behind those of LISTEN_FDS (default: 0)',
  },
  'process-label': { type: 'string', value: 'LABEL', description: 'SELinux label of the process' },
  apparmor: { type: 'string', value: 'PROFILE', description: 'AppArmor profile of the process' },
  'no-new-privs': { type: 'boolean', description: 'set no_new_privs' },
  cap: { type: 'strings', short: 'c', value: 'CAP', description: 'add a capability; may be given several times' },
  cgroup: {
    type: 'strings',
    value: 'PATH',
    description: "a cgroup beneath the container's own, which exists; CONTROLLER[,CONTROLLER]:PATH on cgroup v1",
  },
  'ignore-paused': { type: 'boolean', description: 'exec in a paused container too: waits until it is resumed' },
  ...MONITOR_OPTIONS,
  'exec-id': {
    type: 'string',
    value: 'NAME',
    description: 'with --monitor: the name by which wait, attach and resize know the process',
  },
  keep: { type: 'boolean', description: 'accepted for callers of run: exec never removes the container' },
  'no-subreaper': { type: 'boolean', description: 'accepted for callers of runc: exec is no sub-reaper' },
  'dry-run': { type: 'boolean', description: 'print the plan as JSON and change nothing' },
} as const satisfies OptionTable

/** "exec ID -- ls": the words that a person uses of other tools are no program. */
function command([, ...words]: readonly string[]): readonly string[] {
  return words[0] === '--' ? words.slice(1) : words
}

const LONGEST_NAME = 200

/** The name of the monitor's directory. Errors: UsageError. */
function execMonitor(values: OptionValues<typeof options>): string {
  const name = values['exec-id']
  if (name === undefined) return 'exec-'
  if (!values.monitor) throw new UsageError('--exec-id needs --monitor')
  if (!/^[A-Za-z0-9_+.-]+$/.test(name) || name.length > LONGEST_NAME) {
    const rule = `at most ${LONGEST_NAME} letters, digits and "_", "+", "-", "."`
    throw new UsageError(`invalid value ${quote(name)} of --exec-id: ${rule}`)
  }
  return `exec-${name}`
}

/** Errors: UsageError. */
function execOptions(call: Call, values: OptionValues<typeof options>): ExecOptions {
  const { cwd, environment, positionals } = call
  const args = command(positionals)
  if (args.length === 0 && values.process === undefined) throw new UsageError('a command is missing: exec ID COMMAND')
  return {
    id: positionals[0] ?? '',
    root: absolute(cwd, call.globals.root) ?? defaultRoot(environment),
    processFile: values.process === undefined ? undefined : resolve(cwd, values.process),
    args,
    cwd: values.cwd,
    env: values.env,
    user: values.user,
    additionalGids: values['additional-gids'],
    tty: values.tty,
    processLabel: values['process-label'],
    apparmor: values.apparmor,
    noNewPrivs: values['no-new-privs'] ? true : undefined,
    caps: values.cap,
    // A monitor stands in for a caller that stays.
    detach: values.detach && !values.monitor,
    pidFile: absolute(cwd, values['pid-file']),
    consoleSocket: absolute(cwd, values['console-socket']),
    pidfdSocket: absolute(cwd, values['pidfd-socket']),
    preserveFds: preserveFds(values['preserve-fds']),
    cgroups: values.cgroup,
    ignorePaused: values['ignore-paused'],
    environment,
    caller: call.handoff?.caller ?? { fds: [0, 1, 2], pid: process.pid },
  }
}

export const verb = defineVerb({
  name: 'exec',
  summary: 'run one more process in a container',
  synopsis: 'ID [COMMAND [ARGUMENT...]]',
  description:
    "The process is config.json's with COMMAND for args and without a terminal, changed by the options, or that of " +
    '--process. In the foreground: waits for it and exits with its status (128 + N where signal N ended it). With ' +
    '--detach: returns once the program runs. Failures of tsrunc exit with 255.',
  options,
  positionals: [1, Number.POSITIVE_INFINITY],
  commandBehindId: true,
  failed: 255,
  run(call) {
    const { detach } = call.options
    const asked = execOptions(call, call.options)
    const monitor = monitorLaunch(call, call.options, detach, execMonitor(call.options))
    const launch = { action: ACTION.exec, detach, keep: true, subreaper: false, ...monitor }
    launchPlan(call, 'tsrunc exec', asked.root, launch, call.options['dry-run'], (surroundings) =>
      planExec(asked, surroundings),
    )
    return 0
  },
})
