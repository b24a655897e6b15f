import { resolve } from 'node:path'
import { readConfig } from '../container/bundle'
import { defaultRoot } from '../container/root'
import { planUpdateOf } from '../container/update'
import { quote, TsruncError } from '../errors'
import { traced } from '../host/trace'
import { planToJson } from '../plan/print'
import { ACTION, encodePlan } from '../plan/wire'
import { writeLog } from './log'
import { UsageError } from './parse'
import { resourcesOfFlags } from './update-flags'
import { UPDATE_OPTIONS } from './update-options'
import { type Call, defineVerb } from './verb'

/** The new limits as JSON, and how messages name them. */
function readResources({ options: values, cwd, engine: { view } }: Call<typeof UPDATE_OPTIONS>) {
  const flags = resourcesOfFlags(values)
  const file = values.resources
  if (file === undefined) return { resources: flags.json, source: 'flags', names: flags.names }
  const [first] = flags.names.values()
  if (first !== undefined) throw new UsageError(`${first} cannot be given together with --resources`)
  const names: ReadonlyMap<string, string> = new Map()
  if (file === '-') return { resources: view.standardInput(), source: '<stdin>', names }
  try {
    return { resources: readConfig(cwd, file, view).bytes, source: file, names }
  } catch (cause) {
    if (!(cause instanceof TsruncError)) throw cause
    throw new TsruncError('RESOURCES_FILE', `--resources ${cause.message}`, { cause })
  }
}

const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

export const verb = defineVerb({
  name: 'update',
  summary: 'change the limits of a container',
  synopsis: 'ID',
  description:
    'Writes new limits into the cgroups of a container that is created, running or paused, all of them or, if one is ' +
    'refused, none. What is not given stays as it is.',
  options: UPDATE_OPTIONS,
  positionals: [1, 1],
  run(call) {
    const { options: values, engine, log, cwd } = call
    const id = call.positionals[0] ?? ''
    const read = readResources(call)
    const rdt = { l3CacheSchema: given(values['l3-cache-schema']), memBwSchema: given(values['mem-bw-schema']) }
    const dryRun = values['dry-run']
    if (!dryRun) engine.begin()
    const root = call.globals.root === undefined ? defaultRoot(call.environment) : resolve(cwd, call.globals.root)
    const lock = (stateDir: string): void => (dryRun ? undefined : engine.lock(stateDir, id))
    const memoryMode = values['memory-mode'] === 'safe' ? 'safe' : 'plain'
    const { plan, warnings } = traced('plan', () =>
      planUpdateOf({ id, root, ...read, memoryMode, rdt, lock }, engine.view),
    )
    // JSON without a limit is what an engine sends that has nothing to change.
    if (plan.create.length === 0 && warnings.length === 0 && values.resources === undefined) {
      throw new UsageError(`no new limit is given for container ${quote(id)}`)
    }
    for (const warning of warnings) writeLog(log, 'warning', 'tsrunc update', warning)
    const launch = { action: ACTION.update, detach: false, keep: true, subreaper: false }
    const logFile = log.file === undefined ? '' : resolve(cwd, log.file)
    const bytes = encodePlan(plan, { ...launch, log: logFile, logJson: log.json, debug: log.level === 'debug' })
    if (dryRun) engine.print(planToJson(plan))
    else engine.run(bytes)
    return 0
  },
})
