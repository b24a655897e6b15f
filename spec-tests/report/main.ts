import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Results as SuiteResults } from '../conformance'
import { REPOSITORY } from '../lib/config'
import { REQUIREMENTS } from '../requirements'
import { staleness } from './compare'
import { documentOf, type Facts, PEERS } from './document'
import { describeHost } from './host'
import { failuresOf, faultsOf } from './proof'
import { readRuntime } from './results'

const USAGE = `usage: npm run conformance -- [--check] [--results DIR]

Writes docs/SPEC-CONFORMANCE.md from the results of the last scripts/test: DIR/{tsrunc,runc,crun}.json of the black-box tests,
DIR/vm-MACHINE.json of those that ran in virtual machines, and DIR/oci-suite.json of the OCI conformance suite. A rule that no test
proves, and a test that fails, are errors.

  --check        compares instead. Results of another host have to name the same rules, tests and programs
  --results DIR  build/results
`
const DOCUMENT = join(REPOSITORY, 'docs', 'SPEC-CONFORMANCE.md')

interface Input {
  readonly facts: Facts
  /** Whether tests ran in virtual machines too: then everything ran that can. */
  readonly isComplete: boolean
}

const read = (directory: string): Input => {
  const [tsrunc, runc, crun] = PEERS.map((peer) => readRuntime(directory, peer))
  if (tsrunc === undefined || runc === undefined || crun === undefined) {
    throw new Error('there are three runtimes')
  }
  const facts = {
    requirements: REQUIREMENTS,
    tests: { tsrunc: tsrunc.tests, runc: runc.tests, crun: crun.tests },
    suite: JSON.parse(readFileSync(join(directory, 'oci-suite.json'), 'utf8')) as SuiteResults,
    host: describeHost(tsrunc.machines),
  }
  return { facts, isComplete: tsrunc.machines.length > 0 }
}

const faults = ({ facts, isComplete }: Input): string[] => [
  ...PEERS.flatMap((peer) => failuresOf(peer, facts.tests[peer])),
  ...faultsOf(facts.requirements, facts.tests.tsrunc, isComplete),
]

const main = (): number => {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      results: { type: 'string', default: join(REPOSITORY, 'build', 'results') },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const input = read(values.results)
  const document = documentOf(input.facts)
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : ''
  const found = [...faults(input), ...(values.check ? staleness(before, document) : [])]
  if (!values.check) {
    writeFileSync(DOCUMENT, document)
  }
  for (const fault of found) {
    process.stdout.write(`${fault}\n`)
  }
  return found.length > 0 ? 1 : 0
}

process.exitCode = main()
