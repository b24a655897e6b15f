import { TsruncError } from '../errors'
import { leaveTrace } from '../host/trace'
import { binding, EXECUTABLE } from '../native/binding'
import { GLOBAL_OPTIONS, type OptionTable } from './options'
import type { Call } from './verb'

function written(table: OptionTable, values: Readonly<Record<string, unknown>>): string[] {
  const out: string[] = []
  for (const name of Object.keys(table)) {
    const value = values[name]
    if (value === true) out.push(`--${name}`)
    else if (typeof value === 'string') out.push(`--${name}`, value)
  }
  return out
}

/** The plainest form of a command line, which the launcher reads without node: long names, options first. */
export function canonicalArgv(name: string, table: OptionTable, call: Call): readonly string[] {
  const globals = written(GLOBAL_OPTIONS, call.globals)
  return [...globals, name, ...written(table, call.options), ...call.positionals]
}

/**
 * Give a verb that needs no JavaScript back to the launcher. It comes here only when the launcher did not understand
 * the way it was written.
 *
 * Errors: NOT_UNDERSTOOD where the launcher has refused the plainest form already, so that the two cannot send a call
 * back and forth; NO_LAUNCHER.
 */
export const runNatively = (name: string, table: OptionTable, call: Call): never =>
  giveBack(canonicalArgv(name, table, call), call)

/** The same for a command line in its plainest form. */
export function giveBack(argv: readonly string[], call: Pick<Call, 'argv' | 'handoff'>): never {
  if (argv.length === call.argv.length && argv.every((word, i) => word === call.argv[i])) {
    throw new TsruncError('NOT_UNDERSTOOD', 'the executable tsrunc and dist/main.js are not of one build')
  }
  if (call.handoff === undefined) throw noLauncher()
  return binding().execute(EXECUTABLE, call.handoff.fd, ['tsrunc', ...argv], leaveTrace())
}

export function noLauncher(): TsruncError {
  return new TsruncError('NO_LAUNCHER', `dist/main.js was started by hand: start ${EXECUTABLE} instead`)
}
