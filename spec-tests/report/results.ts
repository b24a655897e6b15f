import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What one test said of one runtime. */
export interface TestResult {
  readonly title: string
  /** Relative to the repository. */
  readonly file: string
  /** Identifiers of spec-tests/requirements. */
  readonly proves: readonly string[]
  readonly outcome: 'passed' | 'failed' | 'deviates' | 'unmet' | 'not asked'
  /** Why it deviates, or what is missing. */
  readonly why: string
  /** The virtual machine that it ran in, where the host could not run it. */
  readonly machine: string | undefined
}

/** What is read of a report of vitest's JSON reporter; spec-tests/lib/harness.ts writes `meta`. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly meta?: {
        readonly proves?: readonly string[]
        readonly deviates?: string
        readonly unmet?: string
        readonly machine?: string
      }
    }[]
  }[]
}

type Assertion = VitestReport['testResults'][number]['assertionResults'][number]

const outcomeOf = ({ status, meta }: Assertion): Pick<TestResult, 'outcome' | 'why'> => {
  if (status === 'passed' || status === 'failed') {
    return { outcome: status, why: '' }
  }
  if (meta?.deviates !== undefined) {
    return { outcome: 'deviates', why: meta.deviates }
  }
  return meta?.unmet === undefined ? { outcome: 'not asked', why: '' } : { outcome: 'unmet', why: meta.unmet }
}

/** Results may be of another checkout. */
const inRepository = (path: string): string => path.slice(Math.max(0, path.lastIndexOf('spec-tests/suites/')))

/** The tests of a report. */
export const resultsOf = (report: VitestReport): TestResult[] =>
  report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((assertion) => ({
      title: assertion.title,
      file: inRepository(name),
      proves: assertion.meta?.proves ?? [],
      machine: assertion.meta?.machine,
      ...outcomeOf(assertion),
    })),
  )

const readResults = (path: string): TestResult[] => resultsOf(JSON.parse(readFileSync(path, 'utf8')) as VitestReport)

/** Names a test; several rows of a table may have one title. */
const keyOf = ({ file, title }: TestResult): string => `${file}\n${title}`

/**
 * The results of the host, with those of virtual machines for what the host could not run. A failure in a machine counts
 * more than anything else.
 *
 * @param machines in the order in which they count
 */
export const mergeResults = (
  host: readonly TestResult[],
  machines: readonly (readonly TestResult[])[],
): readonly TestResult[] => {
  const found = new Map<string, TestResult>()
  for (const result of machines.flat()) {
    const before = found.get(keyOf(result))?.outcome
    const isFirst = before === undefined && result.outcome !== 'unmet'
    if (isFirst || (result.outcome === 'failed' && before !== 'failed')) {
      found.set(keyOf(result), result)
    }
  }
  return host.map((result) => {
    const other = found.get(keyOf(result))
    return other !== undefined && (result.outcome === 'unmet' || other.outcome === 'failed') ? other : result
  })
}

/** What is known of one runtime, and the virtual machines that were asked. */
export interface Results {
  readonly tests: readonly TestResult[]
  readonly machines: readonly string[]
}

/**
 * RUNTIME.json of the host; of virtual machines `vm-MACHINE.json` for tsrunc and `vm-RUNTIME-MACHINE.json` for others.
 *
 * @throws Error that says how to make a file which is not there
 */
export const readRuntime = (directory: string, runtime: string): Results => {
  const path = join(directory, `${runtime}.json`)
  if (!existsSync(path)) {
    throw new Error(`${path} is not there: scripts/test writes it`)
  }
  const machines = readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const [, other = 'tsrunc', machine] = /^vm-(?:(runc|crun)-)?(.+)\.json$/.exec(name) ?? []
      return machine === undefined || other !== runtime ? [] : [machine]
    })
  const infix = runtime === 'tsrunc' ? '' : `${runtime}-`
  const results = machines.map((machine) =>
    readResults(join(directory, `vm-${infix}${machine}.json`)).map((result) => ({
      ...result,
      machine: result.machine ?? machine,
    })),
  )
  return { tests: mergeResults(readResults(path), results), machines }
}
