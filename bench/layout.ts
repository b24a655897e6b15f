/**
 * Where things lie in the executable. A process pays for each page that it touches, and what one `run` touches is a seventh of
 * the program: scattered over all of it that takes a hundred pages, side by side a third of them. This program looks which
 * functions the verbs of engines execute, and writes native/layout.ld, by which the linker puts them side by side, those of the
 * container's own processes first, which touch nothing else.
 *
 *   npm run layout       # as root, after `npm run build`, on x86-64; some minutes. Then `npm run build` again.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CodeSection, codeSections, layout, type Step, stepsOf } from './layout-text'
import { buildPrograms, buildSteps } from './native'
import { Planner } from './planner'
import { findParticipants, type Runtime, WARM } from './runtimes'
import { measuredEnvironment } from './stopwatch'
import { Workplace } from './workplace'

const ROOT = join(__dirname, '..')
const EXECUTABLE = join(ROOT, 'build', 'Release', 'tsrunc')

/** Not the hundred milliseconds that a caller gives a planner: one instruction at a time it takes a minute. */
const environment = (): NodeJS.ProcessEnv => ({ ...measuredEnvironment(), TSRUNC_PLANNER: 'wait' })

class Tracer {
  readonly #steps = buildSteps()
  readonly #runtime: Runtime
  readonly #workplace: Workplace
  /** The functions of each process, by the order in which they were executed first. */
  readonly found: Step[] = []

  constructor(runtime: Runtime, workplace: Workplace) {
    this.#runtime = runtime
    this.#workplace = workplace
  }

  #argv(words: readonly string[]): readonly string[] {
    return ['--root', this.#workplace.stateRoot(this.#runtime), ...words]
  }

  call(...words: readonly string[]): void {
    execFileSync(EXECUTABLE, this.#argv(words), { stdio: 'ignore', env: environment() })
  }

  /** As call(), and looks what it executes. */
  trace(...words: readonly string[]): void {
    const file = this.#workplace.file('steps')
    process.stderr.write(`${words[0]} … `)
    const { status } = spawnSync(this.#steps, [file, EXECUTABLE, ...this.#argv(words)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: environment(),
    })
    if (status !== 0) throw new Error(`steps: exit status ${status}`)
    const steps = stepsOf(readFileSync(file, 'utf8'))
    process.stderr.write(`${steps.length} instructions\n`)
    this.found.push(...steps)
  }
}

async function traceVerbs(sections: readonly CodeSection[]): Promise<string> {
  const [runtime] = findParticipants([`${WARM}=${EXECUTABLE}`], buildPrograms().floor)
  if (runtime?.path === undefined) throw new Error(`${EXECUTABLE} is not built`)
  const own: Runtime = { ...runtime, path: runtime.path }
  const names = execFileSync(buildPrograms().syscallNames, { encoding: 'utf8' }).trim().split('\n')
  const workplace = new Workplace(names, [own])
  const planner = await Planner.start(own, workplace)
  const tracer = new Tracer(own, workplace)
  const id = workplace.id(own)
  const steady = workplace.steadyId(own)
  try {
    for (let i = 0; i < 8; i++) tracer.call('run', '--bundle', workplace.bundle(own, 'true'), id)
    tracer.trace('run', '--bundle', workplace.bundle(own, 'true'), id)
    tracer.trace('run', '--bundle', workplace.bundle(own, 'engine'), id)
    tracer.call('run', '--detach', '--bundle', workplace.bundle(own, 'steady'), steady)
    tracer.trace('exec', steady, '/bin/true')
    tracer.trace('state', steady)
    tracer.trace('kill', steady, '0')
    tracer.trace('update', '--pids-limit', '100', steady)
    tracer.call('create', '--bundle', workplace.bundle(own, 'sleep'), id)
    tracer.trace('start', id)
    tracer.call('kill', id, 'KILL')
    tracer.trace('delete', '--force', id)
  } finally {
    planner.stop()
    workplace.remove([own], workplace.prefix)
  }
  return layout(sections, tracer.found)
}

async function main(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('this starts containers, which takes root here')
  const sections = codeSections(readFileSync(join(ROOT, 'build', 'tsrunc.map'), 'utf8'))
  writeFileSync(join(ROOT, 'native', 'layout.ld'), await traceVerbs(sections))
  // make does not know that the executable is made of it.
  rmSync(EXECUTABLE)
}

main().catch((error: Error) => {
  process.stderr.write(`bench/layout.ts: ${error.message}\n`)
  process.exitCode = 1
})
