import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  'no-stdin': { type: 'boolean', description: 'watch only: read no input' },
  'exec-id': {
    type: 'string',
    value: 'NAME',
    description: 'a process of exec --monitor --exec-id NAME instead of the first one',
  },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'attach',
  summary: 'take part in a container that has a monitor',
  synopsis: 'ID',
  description:
    'Shows the output from now on and passes the input on, until the process ends: then exits with its status. With a ' +
    'terminal ctrl-p ctrl-q detaches.',
  options,
  positionals: [1, 1],
  run: (call) => runNatively('attach', options, call),
})
