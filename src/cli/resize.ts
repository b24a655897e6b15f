import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  'exec-id': {
    type: 'string',
    value: 'NAME',
    description: 'a process of exec --monitor --exec-id NAME instead of the first one',
  },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'resize',
  summary: 'set the size of the terminal of a container that has a monitor',
  synopsis: 'ID ROWS COLUMNS',
  description: 'Sets the size of the terminal; its foreground processes get SIGWINCH.',
  options,
  positionals: [3, 3],
  run: (call) => runNatively('resize', options, call),
})
