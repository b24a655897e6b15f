import { ACTION } from '../plan/wire'
import { CONTAINER_OPTIONS, createOptions } from './container-options'
import { launchContainer } from './launch'
import { containerMonitor, MONITOR_OPTIONS } from './monitor-options'
import { defineVerb } from './verb'

export const verb = defineVerb({
  name: 'create',
  summary: 'create a container without running its program',
  synopsis: 'ID',
  description:
    'Makes everything that config.json asks for but does not run process.args; start does that. ID is the name of ' +
    'the container, unique beneath --root.',
  options: { ...CONTAINER_OPTIONS, ...MONITOR_OPTIONS },
  positionals: [1, 1],
  run(call) {
    const monitor = containerMonitor(call, call.options, true)
    const options = createOptions(call, call.options, !call.options.monitor)
    const launch = { action: ACTION.create, detach: true, keep: true, subreaper: false, ...monitor }
    launchContainer(call, 'tsrunc create', options, launch, call.options['dry-run'])
    return 0
  },
})
