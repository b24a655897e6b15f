import { ACTION } from '../plan/wire'
import { CONTAINER_OPTIONS, createOptions } from './container-options'
import { launchContainer } from './launch'
import { containerMonitor, MONITOR_OPTIONS } from './monitor-options'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  ...CONTAINER_OPTIONS,
  ...MONITOR_OPTIONS,
  detach: { type: 'boolean', short: 'd', description: 'return once the program runs' },
  keep: { type: 'boolean', description: 'keep the stopped container for a later delete' },
  'no-subreaper': { type: 'boolean', description: 'do not wait for processes that the container leaves behind' },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'run',
  summary: 'create a container and run its program',
  synopsis: 'ID',
  description:
    'In the foreground: waits for the program, deletes the container and exits with its status (128 + N where ' +
    'signal N ended it). With --detach: returns once the program runs.',
  options,
  positionals: [1, 1],
  run(call) {
    const { detach, keep, monitor } = call.options
    const subreaper = !call.options['no-subreaper']
    const launch = { action: ACTION.run, detach, keep, subreaper, ...containerMonitor(call, call.options, detach) }
    // A monitor stands in for a caller that stays.
    const options = createOptions(call, call.options, detach && !monitor)
    launchContainer(call, 'tsrunc run', options, launch, call.options['dry-run'])
    return 0
  },
})
