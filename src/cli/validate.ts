import { relative, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { readConfig, resolveBundle } from '../container/bundle'
import { validateConfig } from '../container/validate'
import { readIn } from '../host/input'
import { findingsAsJson, findingsAsText } from './findings'
import type { OptionTable } from './options'
import { printOut } from './output'
import { type Call, defineVerb } from './verb'

const options = {
  bundle: {
    type: 'string',
    short: 'b',
    value: 'DIR',
    description: 'the bundle: the directory that holds config.json (default: the working directory)',
  },
  config: {
    type: 'string',
    short: 'f',
    value: 'FILE',
    description: 'the configuration, relative to the bundle; - is the standard input (default: config.json)',
  },
  format: {
    type: 'string',
    value: 'FORMAT',
    choices: ['text', 'json'],
    description: 'how to print what is found (default: text)',
  },
} as const satisfies OptionTable

const STDOUT = 1
const FAILED = 1

/** From the working directory where it is beneath it, so that an editor or a person finds it. */
function displayName(cwd: string, path: string): string {
  const short = relative(cwd, path)
  return short === '' || short.startsWith('..') ? path : short
}

function isColoured({ environment }: Call): boolean {
  return isatty(STDOUT) && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'
}

export const verb = defineVerb({
  name: 'validate',
  summary: 'check a config.json and say everything that is wrong with it',
  synopsis: '',
  description:
    'Checks the configuration alone, by the rules that create has: all errors and warnings at once, each with line, ' +
    'column, JSON pointer, rule and section of the specification. Exits with 1 if there is an error.',
  options,
  positionals: [0, 0],
  run(call) {
    const { bundle = '.', config, format } = call.options
    const isInput = config === '-'
    const path = resolve(call.cwd, bundle, config ?? 'config.json')
    const bytes = isInput ? readIn() : readConfig(resolveBundle(resolve(call.cwd, bundle)), config).bytes
    const file = isInput ? '-' : displayName(call.cwd, path)
    const validation = validateConfig(bytes)
    printOut(
      format === 'json'
        ? findingsAsJson(file, validation)
        : findingsAsText(isInput ? '<stdin>' : file, validation, isColoured(call)),
    )
    return validation.findings.some(({ severity }) => severity === 'error') ? FAILED : 0
  },
})
