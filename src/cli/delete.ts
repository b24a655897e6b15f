import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  force: {
    type: 'boolean',
    short: 'f',
    description: 'kill a container that still runs; an ID that is not there is no error',
  },
  regex: {
    type: 'boolean',
    short: 'r',
    description: 'ID is an extended regular expression: every container whose name it matches',
  },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'delete',
  summary: 'remove a container that has stopped',
  synopsis: 'ID',
  description: 'Removes what create made: cgroups, state, pid file; then runs the poststop hooks.',
  options,
  positionals: [1, 1],
  run: (call) => runNatively('delete', options, call),
})
