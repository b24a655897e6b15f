import { runNatively } from './native-verb'
import { defineVerb } from './verb'

const options = {} as const

export const verb = defineVerb({
  name: 'start',
  summary: 'run the program of a created container',
  synopsis: 'ID',
  description: 'Starts the program that config.json names in process.args and returns once it runs.',
  options,
  positionals: [1, 1],
  run: (call) => runNatively('start', options, call),
})
