import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  format: { type: 'string', short: 'f', value: 'FORMAT', choices: ['text', 'json'], description: 'text or json' },
  'exec-id': {
    type: 'string',
    value: 'NAME',
    description: 'a process of exec --monitor --exec-id NAME instead of the first one',
  },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'wait',
  summary: 'wait for the end of a container and print its exit code',
  synopsis: 'ID',
  description:
    'Prints the exit code of a container with a monitor, 128 + N where signal N ended it, also long after its end. With ' +
    '--format json all that is on record.',
  options,
  positionals: [1, 1],
  run: (call) => runNatively('wait', options, call),
})
