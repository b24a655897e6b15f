import { resolve } from 'node:path'
import { type CreateOptions, planContainer } from '../container/create'
import { binding, EXECUTABLE } from '../native/binding'
import { planToJson } from '../plan/print'
import { encodePlan, type Launch } from '../plan/wire'
import { writeLog } from './log'
import { noLauncher } from './native-verb'
import { printOut } from './output'
import type { Call } from './verb'

/**
 * Plan a container and give the plan to the engine, in this very process: never returns, or prints the plan where
 * `dryRun`. `launch`: how this call goes about it.
 */
export function launchContainer(
  call: Call,
  prefix: string,
  options: CreateOptions,
  launch: Pick<Launch, 'action' | 'detach' | 'keep' | 'subreaper'>,
  dryRun: boolean,
): void {
  if (!dryRun && call.handoff === undefined) throw noLauncher()
  if (!dryRun) binding().beginHandOff(EXECUTABLE)
  const { plan, warnings } = planContainer(options, !dryRun)
  for (const warning of warnings) writeLog(call.log, 'warning', prefix, warning)
  const { log } = call
  // Also for a dry run: a number that does not fit its field would be found only here.
  const bytes = encodePlan(plan, {
    ...launch,
    log: log.file === undefined ? '' : resolve(call.cwd, log.file),
    logJson: log.json,
    debug: log.level === 'debug',
  })
  if (dryRun || call.handoff === undefined) {
    printOut(planToJson(plan))
    return
  }
  binding().handOff(EXECUTABLE, call.handoff.fd, bytes, ['tsrunc', ...call.argv])
}
