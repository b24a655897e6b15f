import { runNatively } from './native-verb'
import { defineVerb } from './verb'

const options = {} as const

export const verb = defineVerb({
  name: 'state',
  summary: 'print the state of a container as JSON',
  synopsis: 'ID',
  description: 'Prints the state of the container as the OCI runtime specification defines it.',
  options,
  positionals: [1, 1],
  run: (call) => runNatively('state', options, call),
})
