import { features } from '../container/features'
import { printOut } from './output'
import { defineVerb } from './verb'

export const verb = defineVerb({
  name: 'features',
  summary: 'print what this runtime can do as JSON',
  synopsis: '',
  description: 'Prints the features structure of the OCI runtime specification.',
  options: {},
  positionals: [0, 0],
  run() {
    printOut(`${JSON.stringify(features(), undefined, 4)}\n`)
    return 0
  },
})
