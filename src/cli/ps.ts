import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  format: { type: 'string', short: 'f', value: 'FORMAT', choices: ['table', 'json'], description: 'table or json' },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'ps',
  summary: 'list the processes of a container',
  synopsis: 'ID [PS OPTION …]',
  description:
    'The table is what ps of the host prints with the options behind ID, or with -ef: its heading and the lines of the ' +
    "container's processes. With --format json a list of pids.",
  options,
  positionals: [1, 1],
  run: (call) => runNatively('ps', options, call),
})
