import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  format: {
    type: 'string',
    short: 'f',
    value: 'FORMAT',
    choices: ['table', 'json'],
    description: 'how to print (default: table)',
  },
  quiet: { type: 'boolean', short: 'q', description: 'print IDs only' },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'list',
  summary: 'list the containers of a root directory',
  synopsis: '',
  description: 'Lists the containers whose state is kept in the directory of --root.',
  options,
  positionals: [0, 0],
  run: (call) => runNatively('list', options, call),
})
