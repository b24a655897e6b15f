import { resolve } from 'node:path'
import { defaultRoot } from '../container/root'
import { quote, shownPointer, type TsruncError } from '../errors'
import { readHandoff, takeConsidered } from '../host/caller'
import { endTrace, openTrace } from '../host/trace'
import { type Log, logOf, writeLog } from './log'
import { giveBack } from './native-verb'
import { printOut } from './output'
import { ownEngine } from './own-engine'
import { globalValues, UsageError } from './parse'
import { checkPositionals, readUpToVerb, readWords, type UpToVerb } from './read-call'
import type { Verb } from './verb'
import { loadVerb, VERBS } from './verbs'

const SUCCEEDED = 0
const FAILED = 1

/** What is known when something fails, so that the error line goes where the caller looks for it. */
interface Progress {
  log: Log
  verb: Verb | undefined
}

/** yargs costs ten times what everything else here does, so that it is loaded for a person who asks for help only. */
async function printHelp(verb: Verb | undefined): Promise<number> {
  const { helpText } = await import('./help')
  printOut(await helpText(verb))
  return SUCCEEDED
}

/** The launcher prints it; here it is asked in a way that the launcher does not read. */
const printVersion = (argv: readonly string[]): never =>
  giveBack(['--version'], { argv, handoff: readHandoff(process.env) })

/** What this call asks for has come before: the next one need not plan it. Nothing of this one depends on it. */
async function keepPlan(root: string | undefined): Promise<void> {
  try {
    const considered = takeConsidered(process.env)
    if (considered === undefined) return
    const { keepForLater } = await import('../planner/keep')
    await keepForLater(root === undefined ? defaultRoot(process.env) : resolve(root), considered)
  } catch {
    // It is planned again.
  }
}

async function runVerb(name: string, argv: readonly string[], before: UpToVerb, progress: Progress): Promise<number> {
  const verb = await loadVerb(name)
  if (verb === undefined) {
    throw new UsageError(`unknown verb ${quote(name)}: one of ${Object.keys(VERBS).join(', ')}`)
  }
  progress.verb = verb
  const words = readWords(verb, argv, before)
  const { globals } = words
  progress.log = logOf(globals)
  if (globals.version) return printVersion(argv)
  if (globals.help) return printHelp(verb)
  checkPositionals(verb, words)
  if (globals.trace !== undefined) openTrace(globals.trace, verb.name, process.env)
  await keepPlan(globals.root)
  const handoff = readHandoff(process.env)
  return verb.run({
    ...words,
    argv,
    log: progress.log,
    handoff,
    environment: process.env,
    cwd: process.cwd(),
    engine: ownEngine({ argv, handoff }),
  })
}

async function runWords(argv: readonly string[], progress: Progress): Promise<number> {
  const before = readUpToVerb(argv)
  const globals = globalValues(before.values)
  progress.log = logOf(globals)
  if (globals.version) return printVersion(argv)
  const [name, topic] = argv.slice(before.end)
  if (name === undefined) return printHelp(undefined)
  if (name === 'version') return printVersion(argv)
  if (name === 'help') return printHelp(topic === undefined ? undefined : await loadVerb(topic))
  if (globals.help) return printHelp(await loadVerb(name))
  return runVerb(name, argv, before, progress)
}

/** The whole story of an error, with its place in config.json. What is no TsruncError is a fault of tsrunc itself. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, pointer, errno } = error as Error & Partial<TsruncError> & { readonly errno?: number }
  // A system call that the host refused says so itself.
  if (errno !== undefined) return message
  if (pointer === undefined) return `internal error: ${message} (please report it with the output of --debug)`
  const shown = shownPointer(pointer)
  return shown === '' || message.includes(shown) ? message : `${message} (config.json ${shown})`
}

/** Where in tsrunc an error came from, for those who debug it. */
function writeStack(log: Log, prefix: string, error: unknown): void {
  const { stack = '' } = error instanceof Error ? error : {}
  for (const line of stack.split('\n')) writeLog(log, 'debug', prefix, line.trim())
}

/** By its code: a verb that is a file of its own has a class of its own. */
function isUsageError(error: unknown): boolean {
  return error instanceof Error && (error as Partial<TsruncError>).code === 'USAGE'
}

/** The trace ends with the call, also with one that fails. */
async function traced(argv: readonly string[], progress: Progress): Promise<number> {
  try {
    return await runWords(argv, progress)
  } finally {
    const lost = endTrace()
    if (lost !== undefined) writeLog(progress.log, 'warning', 'tsrunc', `write the trace: ${lost}`)
  }
}

/** Run the command line `argv`, without node and script. The exit code, where the process is still this one then. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const progress: Progress = { log: { file: undefined, json: false, level: 'warning' }, verb: undefined }
  try {
    return await traced(argv, progress)
  } catch (error) {
    if (isUsageError(error)) await printHelp(progress.verb)
    const prefix = progress.verb === undefined ? 'tsrunc' : `tsrunc ${progress.verb.name}`
    writeStack(progress.log, prefix, error)
    writeLog(progress.log, 'error', prefix, sentence(error))
    return progress.verb?.failed ?? FAILED
  }
}
