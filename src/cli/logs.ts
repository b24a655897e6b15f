import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { UsageError } from './parse'
import { defineVerb } from './verb'

const options = {
  follow: { type: 'boolean', short: 'f', description: 'go on until the process has ended' },
  tail: { type: 'string', short: 'n', value: 'N', description: 'only the last N lines' },
  timestamps: { type: 'boolean', short: 't', description: 'the time before each line' },
  'exec-id': {
    type: 'string',
    value: 'NAME',
    description: 'a process of exec --monitor --exec-id NAME instead of the first one',
  },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'logs',
  summary: 'print the output that the monitor of a container has kept',
  synopsis: 'ID',
  description: 'What the process has written to standard output and standard error goes to those of this call.',
  options,
  positionals: [1, 1],
  run(call) {
    const { tail } = call.options
    if (tail !== undefined && !/^\d{1,15}$/.test(tail))
      throw new UsageError(`invalid value "${tail}" of --tail: a number`)
    return runNatively('logs', options, call)
  },
})
