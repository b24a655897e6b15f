import type { Argv, Options } from 'yargs'
import yargs from 'yargs/yargs'
import { GLOBAL_OPTIONS, type OptionTable } from './options'
import type { Verb } from './verb'
import { loadVerb, VERBS } from './verbs'

const WIDTH = 100

/** One table as yargs declares options. */
function yargsOptions(table: OptionTable, group: string): Record<string, Options> {
  const out: Record<string, Options> = {}
  for (const [name, { type, short, choices, value, description }] of Object.entries(table)) {
    out[name] = {
      group,
      description: value === undefined ? description : `${value}: ${description}`,
      ...(short === undefined ? {} : { alias: short }),
      ...(type === 'boolean' ? { boolean: true } : {}),
      ...(choices === undefined ? {} : { choices }),
    }
  }
  return out
}

/** yargs as tsrunc wants it: nothing read from package.json or the environment, its own --help and --version off. */
function declare(): Argv {
  return yargs([]).scriptName('tsrunc').detectLocale(false).version(false).help(false).exitProcess(false).wrap(WIDTH)
}

async function generalHelp(): Promise<string> {
  const parser = declare().usage('tsrunc [GLOBAL OPTIONS] VERB [OPTIONS] [ID]\n\nA low-level OCI container runtime.')
  for (const name of Object.keys(VERBS)) {
    const verb = await loadVerb(name)
    if (verb !== undefined) parser.command(name, verb.summary)
  }
  parser.command('help', 'print the help of a verb').command('version', 'print the version')
  return parser.options(yargsOptions(GLOBAL_OPTIONS, 'Global options:')).getHelp()
}

/** A verb's own option hides a global one of the same name, as --rootless of spec does. */
function globalOptionsBeside(verb: Verb): OptionTable {
  return Object.fromEntries(Object.entries(GLOBAL_OPTIONS).filter(([name]) => !Object.hasOwn(verb.options, name)))
}

function verbHelp(verb: Verb): Promise<string> {
  const synopsis = `tsrunc [GLOBAL OPTIONS] ${verb.name} [OPTIONS] ${verb.synopsis}`.trimEnd()
  return declare()
    .usage(`${synopsis}\n\n${verb.description}`)
    .options(yargsOptions(verb.options, 'Options:'))
    .options(yargsOptions(globalOptionsBeside(verb), 'Global options:'))
    .getHelp()
}

/** The help of a verb, or of tsrunc, with a newline at its end. */
export async function helpText(verb: Verb | undefined): Promise<string> {
  return `${await (verb === undefined ? generalHelp() : verbHelp(verb))}\n`
}
