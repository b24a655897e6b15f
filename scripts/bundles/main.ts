import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildPrograms } from '../../bench/native'
import type { EngineConfig } from './config'
import { parseExactly } from './exact_json'
import { sampleConfigs } from './samples'
import { type Outcome, tryConfig } from './trial'

const USAGE = `usage: scripts/try-bundles [--runtime PATH] [--oci-version V] [--verbose] [DIR]   (as root)

Runs each configuration DIR/*.json that an engine wrote, with a root file system of our own and with whatever exists
only on the machine it comes from replaced; exec-process-*.json are passed over. Without DIR, configurations of our own.

  --runtime PATH     the runtime that runs them (build/Release/tsrunc)
  --oci-version V    write this ociVersion, for runtimes that refuse a newer one (crun 1.8.1: 1.0.2)
  --verbose          show what was replaced and what the containers printed
`
const TSRUNC = join(__dirname, '..', '..', 'build', 'Release', 'tsrunc')

interface Trial {
  readonly name: string
  read(): EngineConfig
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runtime: { type: 'string', default: TSRUNC },
      'oci-version': { type: 'string' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || positionals.length > 1) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const folder = positionals[0]
  const trials = folder === undefined ? sampleTrials() : folderTrials(folder)
  let refused = 0
  let interrupted = false
  // A trial that is under way ends by itself and removes what it made.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => (interrupted = true))
  for (const [number, trial] of trials.entries()) {
    if (interrupted) return 130
    const version = values['oci-version']
    const config = { ...trial.read(), ...(version === undefined ? {} : { ociVersion: version }) }
    const outcome = await tryConfig(config, findRuntime(values.runtime), number)
    print(trial.name, outcome, values.verbose)
    if (!outcome.ran || outcome.findings.length > 0) ++refused
  }
  process.stdout.write(`\n${trials.length - refused} of ${trials.length} ran as they should\n`)
  return refused === 0 ? 0 : 1
}

function folderTrials(folder: string): readonly Trial[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.startsWith('exec-process-'))
    .toSorted()
    .map((name) => ({ name, read: () => parseExactly(readFileSync(join(folder, name), 'utf8')) as EngineConfig }))
}

function sampleTrials(): readonly Trial[] {
  const syscalls = execFileSync(buildPrograms().syscallNames, { encoding: 'utf8' }).split('\n').filter(Boolean)
  return [...sampleConfigs(syscalls)].map(([name, config]) => ({ name, read: () => config }))
}

/** A path, or a name on PATH. */
function findRuntime(runtime: string): string {
  if (runtime.includes('/')) return resolve(runtime)
  const folders = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`.split(delimiter)
  const found = folders.find((folder) => readdirSync(folder).includes(runtime))
  if (found === undefined) throw new Error(`no ${runtime} on PATH`)
  return join(found, runtime)
}

function print(name: string, { ran, said, notes, findings }: Outcome, verbose: boolean): void {
  const indent = (text: string) => text.replaceAll(/^/gm, '    ')
  process.stdout.write(`${ran ? 'ran    ' : 'REFUSED'}  ${name}\n`)
  if (!ran || verbose) process.stdout.write(`${indent(said.replaceAll('\r', ''))}\n`)
  if (verbose) process.stdout.write(`${indent(notes.map((note) => `replaced ${note}`).join('\n'))}\n`)
  for (const finding of findings) process.stdout.write(`    FINDING ${finding}\n`)
}

main().then(
  (status) => {
    process.exitCode = status
  },
  (error: unknown) => {
    process.stderr.write(`try-bundles: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)
