import { runNatively } from './native-verb'
import { defineVerb } from './verb'

const options = {} as const

export const verb = defineVerb({
  name: 'resume',
  summary: 'let the processes of a paused container go on',
  synopsis: 'ID',
  description: 'Thaws what tsrunc pause has frozen.',
  options,
  positionals: [1, 1],
  run: (call) => runNatively('resume', options, call),
})
