import { runNatively } from './native-verb'
import { defineVerb } from './verb'

const options = {} as const

export const verb = defineVerb({
  name: 'pause',
  summary: 'stop all processes of a container, for a while',
  synopsis: 'ID',
  description: 'Freezes the cgroup of a created or running container and returns once every process stands still.',
  options,
  positionals: [1, 1],
  run: (call) => runNatively('pause', options, call),
})
