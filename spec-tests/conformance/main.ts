import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../lib/config'
import { compare, expectationOf, type Finding, type Results } from './compare'
import { PEERS, type Peer, TABLE_VERSIONS } from './expected'
import { needsTurn, type Run, runProgram, type Subject } from './program'

const USAGE = `usage: spec-tests/conformance/run [--tsrunc PATH] [--json FILE] [PROGRAM…]   (as root)

Runs the OCI conformance suite against tsrunc, runc and crun and compares with spec-tests/conformance/expected.ts.
What passes or fails unexpectedly, or leaves something behind, is an error.

  --tsrunc PATH   the executable (build/Release/tsrunc)
  --json FILE     writes the results
`

/** Lets one caller after the other in. */
const turnstile = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}

const find = (name: string): string =>
  execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' }).trim()

type Subjects = Readonly<Record<Peer, Subject>>

/** tsrunc keeps compiled system call filters. */
const subjects = (tsrunc: string): Subjects => ({
  tsrunc: { path: resolve(tsrunc), keptInRoot: /^~seccomp$/ },
  runc: { path: find('runc'), keptInRoot: /^$/ },
  crun: { path: find('crun'), keptInRoot: /^\.lock$/ },
})

const versionOf = ({ path }: Subject): string =>
  /version:? (\S+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1] ?? ''

const TRIES = 5

/** Once, or until it passes where the table says that it does not always, or that another runtime passes: its luck is not judged. */
const runPatiently = async (suite: string, program: string, peer: Peer, subject: Subject): Promise<Run> => {
  const expectation = expectationOf(program)
  const isLuck = expectation?.sometimes?.includes(peer) ?? (peer !== 'tsrunc' && !expectation?.fails.includes(peer))
  const tries = isLuck ? TRIES : 1
  for (let number = 1; ; number++) {
    const run = await runProgram(suite, program, subject)
    if (run.passed || number >= tries) {
      return run
    }
  }
}

/** The runtimes side by side, as the programs mostly sleep; each of them runs one program at a time. */
const runAll = async (suite: string, programs: readonly string[], all: Subjects): Promise<Results> => {
  const alone = turnstile()
  const results: Record<string, Record<Peer, Run>> = {}
  const lane = async (peer: Peer, subject: Subject): Promise<void> => {
    for (const program of programs) {
      const work = (): Promise<Run> => runPatiently(suite, program, peer, subject)
      const run = await (needsTurn(program) ? alone(work) : work())
      process.stdout.write(
        `${run.passed ? 'pass' : 'fail'}  ${peer.padEnd(6)}  ${program}${run.passed ? '' : `: ${run.why}`}\n`,
      )
      results[program] = Object.assign(results[program] ?? {}, { [peer]: run }) as Record<Peer, Run>
    }
  }
  await Promise.all(PEERS.map((peer) => lane(peer, all[peer])))
  return results
}

/** What the report needs. */
const writeResults = (results: Results, path: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(results, ['passed', 'why', 'left', ...PEERS, ...Object.keys(results)], 1)}\n`)
}

const printFindings = (findings: readonly Finding[]): void => {
  for (const finding of findings) {
    process.stdout.write(`\nUNEXPECTED ${finding.program} on ${finding.peer}: ${finding.text}\n`)
  }
}

const summary = (results: Results): string =>
  PEERS.map((peer) => {
    const runs = Object.values(results).map((result) => result[peer])
    return `${peer} ${runs.filter((run) => run.passed).length} of ${runs.length}`
  }).join(', ')

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tsrunc: { type: 'string', default: join(REPOSITORY, 'build', 'Release', 'tsrunc') },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const suite = execFileSync(join(__dirname, 'build'), { encoding: 'utf8' }).trim()
  const existing = readdirSync(join(suite, 'programs'))
  const unknown = positionals.filter((name) => !existing.includes(name))
  if (unknown.length > 0) {
    process.stderr.write(`run: the suite has no program ${unknown.join(', ')}\n`)
    return 2
  }
  const all = subjects(values.tsrunc)
  const judged = PEERS.filter((peer) => TABLE_VERSIONS[peer]?.test(versionOf(all[peer])) ?? true)
  const results = await runAll(suite, positionals.length > 0 ? positionals : existing, all)
  const findings = compare(results, judged, positionals.length > 0 ? undefined : existing)
  printFindings(findings)
  if (values.json !== undefined) {
    writeResults(results, values.json)
  }
  const names = findings.map(({ program, peer }) => `${program} on ${peer}`).join(', ')
  process.stdout.write(`\npassed: ${summary(results)}; unexpected: ${names === '' ? 'none' : names}\n`)
  return findings.length === 0 ? 0 : 1
}

void main().then((status) => {
  process.exitCode = status
})
