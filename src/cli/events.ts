import { quote } from '../errors'
import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { UsageError } from './parse'
import { defineVerb } from './verb'

const options = {
  stats: { type: 'boolean', description: 'print the statistics once and end' },
  interval: {
    type: 'string',
    value: 'DURATION',
    description: 'time between statistics, as in 5s or 1m30s (default: 5s)',
  },
} as const satisfies OptionTable

/** Go's time.ParseDuration, above zero: what the launcher has not understood is told here. */
const DURATION = /^\+?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/

export const verb = defineVerb({
  name: 'events',
  summary: 'print statistics and events of a container',
  synopsis: 'ID',
  description:
    'A line of JSON for the statistics of the cgroups in each interval, and for each time that the kernel kills a process for ' +
    'want of memory, until the container ends.',
  options,
  positionals: [1, 1],
  run: (call) => {
    const { interval } = call.options
    if (interval !== undefined && (!DURATION.test(interval) || !/[1-9]/.test(interval))) {
      throw new UsageError(`invalid value ${quote(interval)} of --interval: a duration above zero, as in 5s or 1m30s`)
    }
    return runNatively('events', options, call)
  },
})
