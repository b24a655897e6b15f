import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Results } from '../conformance'
import { REPOSITORY } from '../lib/config'
import { REQUIREMENTS } from '../requirements'
import { documentOf, type Facts, hostOf } from './document'
import { describeHost } from './host'
import { faultsOf } from './proof'
import { readResults } from './results'

const USAGE = `usage: npm run conformance -- [--check] [--results DIR]

Writes docs/SPEC-CONFORMANCE.md from the results of the last scripts/test: DIR/{tsrunc,runc,crun}.json of the black-box tests
and DIR/oci-suite.json of the OCI conformance suite.

  --check        compares instead; a rule that no test proves is an error
  --results DIR  build/results
`
const DOCUMENT = join(REPOSITORY, 'docs', 'SPEC-CONFORMANCE.md')

const readFacts = (directory: string): Facts => {
  const tests = (name: string) => readResults(join(directory, `${name}.json`))
  return {
    requirements: REQUIREMENTS,
    tests: { tsrunc: tests('tsrunc'), runc: tests('runc'), crun: tests('crun') },
    suite: JSON.parse(readFileSync(join(directory, 'oci-suite.json'), 'utf8')) as Results,
    host: describeHost(),
  }
}

/** The first lines that differ. */
const difference = (before: string, after: string): string => {
  const [old, current] = [before.split('\n'), after.split('\n')]
  const lines = [
    ...old.filter((line) => !current.includes(line)).map((line) => `- ${line}`),
    ...current.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ]
  return lines.slice(0, 40).join('\n')
}

const check = (facts: Facts): string[] => {
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : ''
  const isSameHost = hostOf(before) === facts.host
  const faults = faultsOf(facts.requirements, facts.tests.tsrunc, isSameHost)
  if (!isSameHost) {
    process.stdout.write(
      `Not compared with the document: its results are of ${hostOf(before)}, these of ${facts.host}.\n`,
    )
    return faults
  }
  const after = documentOf(facts)
  return before === after
    ? faults
    : [...faults, `docs/SPEC-CONFORMANCE.md is not of these results: npm run conformance\n${difference(before, after)}`]
}

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
  const facts = readFacts(values.results)
  if (!values.check) {
    writeFileSync(DOCUMENT, documentOf(facts))
  }
  const faults = values.check ? check(facts) : faultsOf(facts.requirements, facts.tests.tsrunc, true)
  for (const fault of faults) {
    process.stdout.write(`${fault}\n`)
  }
  return values.check && faults.length > 0 ? 1 : 0
}

process.exitCode = main()
