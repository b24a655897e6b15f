import { isAbsolute, resolve } from 'node:path'
import { planCheckpointOf } from '../container/checkpoint'
import { defaultRoot } from '../container/root'
import { quote } from '../errors'
import { planToJson } from '../plan/print'
import { ACTION, encodePlan } from '../plan/wire'
import { CRIU_OPTIONS, criuOptions } from './criu-options'
import type { OptionTable, OptionValues } from './options'
import { UsageError } from './parse'
import { type Call, defineVerb } from './verb'

const options = {
  ...CRIU_OPTIONS,
  'leave-running': { type: 'boolean', description: 'let the container go on afterwards' },
  'link-remap': { type: 'boolean', description: 'allow open files that were deleted, by links beside them' },
  'tcp-skip-in-flight': { type: 'boolean', description: 'leave out TCP connections that are not established yet' },
  'pre-dump': { type: 'boolean', description: 'save the memory alone, and let the container go on' },
  'parent-path': {
    type: 'string',
    value: 'DIR',
    description: 'an earlier checkpoint or pre-dump, relative to --image-path: only what has changed since is saved',
  },
  'page-server': { type: 'string', value: 'ADDRESS:PORT', description: 'send the memory to a page server of CRIU' },
  'status-fd': {
    type: 'string',
    value: 'N',
    description: 'descriptor to which a NUL byte is written once --lazy-pages serves',
  },
  'dry-run': { type: 'boolean', description: 'print the plan as JSON and change nothing' },
} as const satisfies OptionTable

type Values = OptionValues<typeof options>

/** "[ADDRESS]:PORT" of IPv6 too. Errors: UsageError. */
function pageServer(value: string | undefined): { address: string; port: number } | undefined {
  if (value === undefined) return undefined
  const [, address = '', port = ''] = /^(?:\[(?=.*\]:))?([^\]]+)\]?:(\d{1,5})$/.exec(value) ?? []
  if (address === '' || Number(port) < 1 || Number(port) > 65535) {
    throw new UsageError(`invalid value ${quote(value)} of --page-server: ADDRESS:PORT`)
  }
  return { address, port: Number(port) }
}

/** Errors: UsageError. */
function statusFd({ handoff }: Call, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const fd = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (handoff?.caller.fds.includes(fd) === true) return fd
  throw new UsageError(`invalid value ${quote(value)} of --status-fd: a descriptor that is open`)
}

/** Errors: UsageError. */
function parentPath(value = ''): string {
  if (isAbsolute(value))
    throw new UsageError(`invalid value ${quote(value)} of --parent-path: relative to --image-path`)
  return value
}

/** Errors: UsageError, NO_CRIU. */
function checkpointOptions(call: Call, values: Values) {
  const preDump = values['pre-dump']
  const parent = parentPath(values['parent-path'])
  const server = pageServer(values['page-server'])
  const status = statusFd(call, values['status-fd'])
  if (values['lazy-pages'] && server === undefined) {
    throw new UsageError('--lazy-pages needs --page-server: where the memory can be had')
  }
  if (preDump && values['lazy-pages']) throw new UsageError('--pre-dump and --lazy-pages do not go together')
  return {
    ...criuOptions(call, values),
    configFile: '',
    // The container goes on from a pre-dump, always.
    leaveRunning: values['leave-running'] || preDump,
    linkRemap: values['link-remap'],
    tcpSkipInFlight: values['tcp-skip-in-flight'],
    preDump,
    parentPath: parent,
    pageServer: server,
    statusFd: status,
  }
}

export const verb = defineVerb({
  name: 'checkpoint',
  summary: 'save a running container to files, by CRIU',
  synopsis: 'ID',
  description:
    'Saves the processes of a running container to a directory of images. Then the container is deleted, unless ' +
    '--leave-running is given; where it cannot be saved it goes on as before.',
  options,
  positionals: [1, 1],
  run(call) {
    const { options: values, engine, log, cwd, globals, environment } = call
    const dump = checkpointOptions(call, values)
    const root = globals.root === undefined ? defaultRoot(environment) : resolve(cwd, globals.root)
    const plan = planCheckpointOf(root, call.positionals[0] ?? '', dump)
    const bytes = encodePlan(plan, {
      action: ACTION.checkpoint,
      detach: false,
      keep: dump.leaveRunning,
      subreaper: false,
      log: log.file === undefined ? '' : resolve(cwd, log.file),
      logJson: log.json,
      debug: log.level === 'debug',
    })
    if (values['dry-run']) {
      engine.print(planToJson(plan))
      return 0
    }
    engine.begin()
    engine.run(bytes)
    return 0
  },
})
