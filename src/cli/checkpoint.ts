import { resolve } from 'node:path'
import { planCheckpointOf } from '../container/checkpoint'
import { defaultRoot } from '../container/root'
import { planToJson } from '../plan/print'
import { ACTION, encodePlan } from '../plan/wire'
import { CRIU_OPTIONS, criuOptions } from './criu-options'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  ...CRIU_OPTIONS,
  'leave-running': { type: 'boolean', description: 'let the container go on afterwards' },
  'link-remap': { type: 'boolean', description: 'allow open files that were deleted, by links beside them' },
  'dry-run': { type: 'boolean', description: 'print the plan as JSON and change nothing' },
} as const satisfies OptionTable

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
    const criu = criuOptions(call, values)
    const root = globals.root === undefined ? defaultRoot(environment) : resolve(cwd, globals.root)
    const leaveRunning = values['leave-running']
    const dump = { ...criu, leaveRunning, linkRemap: values['link-remap'] }
    const plan = planCheckpointOf(root, call.positionals[0] ?? '', dump)
    const bytes = encodePlan(plan, {
      action: ACTION.checkpoint,
      detach: false,
      keep: leaveRunning,
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
