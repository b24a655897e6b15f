import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  all: { type: 'boolean', short: 'a', description: 'send the signal to every process of the container' },
  regex: {
    type: 'boolean',
    short: 'r',
    description: 'ID is an extended regular expression: every container whose name it matches',
  },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'kill',
  summary: 'send a signal to the first process of a container',
  synopsis: 'ID [SIGNAL]',
  description:
    'SIGNAL is a number or a name with or without SIG, in any case. Without it the signal of the annotation ' +
    'org.opencontainers.image.stopSignal is sent, or SIGTERM.',
  options,
  positionals: [1, 2],
  run: (call) => runNatively('kill', options, call),
})
