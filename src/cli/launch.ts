import { resolve } from 'node:path'
import { type CreateOptions, planContainer } from '../container/create'
import { planToJson } from '../plan/print'
import { encodePlan, type Launch } from '../plan/wire'
import { writeLog } from './log'
import type { Call } from './verb'

/**
 * Plan a container and give the plan to the engine, which in this very process never returns, or prints the plan where
 * `dryRun`. `launch`: how this call goes about it.
 */
export function launchContainer(
  call: Call,
  prefix: string,
  options: CreateOptions,
  launch: Pick<Launch, 'action' | 'detach' | 'keep' | 'subreaper'>,
  dryRun: boolean,
): void {
  const { engine } = call
  if (!dryRun) engine.begin()
  const compileSeccomp = engine.seccompCompiler(options.root, !dryRun)
  const { plan, warnings } = planContainer(options, { view: engine.view, compileSeccomp })
  for (const warning of warnings) writeLog(call.log, 'warning', prefix, warning)
  const { log } = call
  // Also for a dry run: a number that does not fit its field would be found only here.
  const bytes = encodePlan(plan, {
    ...launch,
    log: log.file === undefined ? '' : resolve(call.cwd, log.file),
    logJson: log.json,
    debug: log.level === 'debug',
  })
  if (dryRun) engine.print(planToJson(plan))
  else engine.run(bytes)
}
