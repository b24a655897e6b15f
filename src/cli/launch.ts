import { resolve } from 'node:path'
import { type CreateOptions, type Planned, planContainer, type Surroundings } from '../container/create'
import { traced } from '../host/trace'
import { planToJson } from '../plan/print'
import { encodePlan, type Launch, type MonitorLaunch } from '../plan/wire'
import { writeLog } from './log'
import type { Call } from './verb'

type How = Pick<Launch, 'action' | 'detach' | 'keep' | 'subreaper'> & Partial<MonitorLaunch>

/**
 * Plan something and give the plan to the engine, which in this very process never returns, or prints the plan where
 * `dryRun`. `root`: directory of all containers' state. `launch`: how this call goes about it.
 */
export function launchPlan(
  call: Call,
  prefix: string,
  root: string,
  launch: How,
  dryRun: boolean,
  make: (surroundings: Surroundings) => Planned,
): void {
  const { engine, log } = call
  if (!dryRun) engine.begin()
  const compile = engine.seccompCompiler(root, !dryRun)
  const { plan, warnings } = make({
    view: engine.view,
    compileSeccomp: (request) => traced('make the seccomp program', () => compile(request)),
  })
  for (const warning of warnings) writeLog(log, 'warning', prefix, warning)
  // Also for a dry run: a number that does not fit its field would be found only here.
  const bytes = traced('encode the plan', () =>
    encodePlan(plan, {
      ...launch,
      log: log.service ?? (log.file === undefined ? '' : resolve(call.cwd, log.file)),
      logJson: log.json,
      debug: log.level === 'debug',
    }),
  )
  if (dryRun) engine.print(planToJson(plan))
  else engine.run(bytes)
}

/** The same for a container. */
export function launchContainer(
  call: Call,
  prefix: string,
  options: CreateOptions,
  launch: How,
  dryRun: boolean,
): void {
  launchPlan(call, prefix, options.root, launch, dryRun, (surroundings) => planContainer(options, surroundings))
}
