import { runNatively } from './native-verb'
import type { OptionTable } from './options'
import { defineVerb } from './verb'

const options = {
  'dry-run': { type: 'boolean', description: 'print what would be removed and change nothing' },
} as const satisfies OptionTable

export const verb = defineVerb({
  name: 'gc',
  summary: 'remove what calls that were killed have left',
  synopsis: '',
  description:
    'Removes the containers beneath --root whose create or delete was killed half way, with their cgroups and mounts. ' +
    'A container that lives, or that somebody is at work on, is left alone.',
  options,
  positionals: [0, 0],
  run: (call) => runNatively('gc', options, call),
})
