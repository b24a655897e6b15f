import { ACTION } from '../plan/wire'
import { CONTAINER_OPTIONS, createOptions } from './container-options'
import { launchContainer } from './launch'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  ...CONTAINER_OPTIONS,
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
    const { detach, keep } = call.options
    const launch = { action: ACTION.run, detach, keep, subreaper: !call.options['no-subreaper'] }
    launchContainer(call, 'tsrunc run', createOptions(call, call.options, detach), launch, call.options['dry-run'])
    return 0
  },
})
