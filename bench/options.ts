import { parseArgs } from 'node:util'

/** What the command line asked for. */
export interface BenchOptions {
  /** Measured rounds of everything. */
  readonly runs: number
  /** Rounds before them that are not counted. */
  readonly warmUp: number
  /** Containers beside which `create` is measured too; 0: it is not. */
  readonly neighbours: number
  /** Names, or NAME=PATH for a build that is not in its usual place. */
  readonly runtimes: readonly string[]
  /** What is measured, by name; undefined: everything. What is measured together comes together. */
  readonly only: readonly string[] | undefined
  /** Folder of configurations that engines wrote, to be measured too. */
  readonly bundles: string | undefined
  /** Print JSON instead of writing the report. */
  readonly json: boolean
  /** Print where the time of tsrunc goes, and measure nothing else. */
  readonly phases: boolean
  /** Count what one run does, and measure nothing. */
  readonly count: boolean
  /** File of the report. */
  readonly output: string
}

export const USAGE = `usage: npm run bench -- [options]   (as root)

  --runs N           measured rounds (100)
  --warm-up N        rounds before them that are not counted (5)
  --neighbours N     containers beside which create is measured too (1000)
  --runtimes A,B     who takes part, by name or NAME=PATH (floor,crun,runc,tsrunc,tsrunc-kept,tsrunc-cold)
  --only A,B         of what is measured in rounds these alone, and what is measured together with them ("run,run, 8 at once")
  --bundles DIR      measure {docker-default,containerd-ctr-default,podman-default}.json of this folder too
  --output FILE      where the report goes (docs/BENCHMARKS.md)
  --phases           print where the time of tsrunc's run goes, by its --trace, and write no report
  --count            count what one run does, and write that section of the report alone
  --json             print every figure as JSON and write no report
  --help
`

/** @returns undefined when only help was asked for. @throws Error for arguments that are not understood. */
export function parseOptions(argv: readonly string[], defaultOutput: string): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: 'string', default: '100' },
      'warm-up': { type: 'string', default: '5' },
      neighbours: { type: 'string', default: '1000' },
      runtimes: { type: 'string', default: 'floor,crun,runc,tsrunc,tsrunc-kept,tsrunc-cold' },
      only: { type: 'string' },
      bundles: { type: 'string' },
      output: { type: 'string', default: defaultOutput },
      json: { type: 'boolean', default: false },
      phases: { type: 'boolean', default: false },
      count: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    runs: count('--runs', values.runs, 1),
    warmUp: count('--warm-up', values['warm-up'], 0),
    neighbours: count('--neighbours', values.neighbours, 0),
    runtimes: values.runtimes.split(',').filter((name) => name !== ''),
    // Names have commas of their own: "run, 8 at once".
    only: values.only?.split(/,(?! )/),
    bundles: values.bundles,
    json: values.json,
    phases: values.phases,
    count: values.count,
    output: values.output,
  }
}

function count(option: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`${option} takes a whole number from ${least} on, not "${text}"`)
  }
  return value
}
