// One system call fails, once, in one of the runtime's processes: the verb does what it should all the same, or fails, says what
// failed, and leaves nothing. SPEC_FAULTS=all: every call of every process.
import { appendFileSync } from 'node:fs'
import { type Bundle, expectStatus, requires, requiresThat, sandbox, startPlanner, test } from '../../lib'
import { BEGINNING, errorNumber } from './calls'
import { harmless } from './harmless'
import { pathOf, tells } from './paths'
import { chosen, errorAt, SEED } from './selection'
import { describePoint, type Point, type Supervised, supervised } from './supervised'
import { removed, subject, VERBS, type Verb } from './verbs'

const CASES: Readonly<Record<string, number>> = {
  create: 30,
  start: 20,
  run: 25,
  exec: 25,
  kill: 10,
  delete: 20,
  update: 15,
}

const initOf = async (verb: Verb, b: Bundle) => (verb.init === undefined ? {} : { init: await verb.init(b) })

/** Lines that are the same each time. */
const steady = (one: readonly string[], two: readonly string[]): Set<string> =>
  new Set(one.filter((line) => two.includes(line)))

interface Usual {
  readonly points: readonly Point[]
  readonly effect: ReadonlySet<string>
}

const usual = async (verb: Verb, b: Bundle): Promise<Usual> => {
  const once = async () => {
    await verb.prepare(b)
    const ended = await supervised(verb.args(b), await initOf(verb, b))
    expectStatus(ended.outcome)
    const effect = await verb.effect(b, ended)
    await verb.clean(b)
    return { points: ended.points, effect }
  }
  const [one, two] = [await once(), await once()]
  return { points: two.points, effect: steady(one.effect, two.effect) }
}

/** What is wrong with how a call ended that failed. */
const wrongWords = (verb: Verb, at: Point, error: string, ended: Supervised): string | undefined => {
  const { status, stderr } = ended.outcome
  if (at.call === 'recvmsg' && /init ended/.test(stderr)) {
    // The socket that fails is the one by which it would be told.
    return undefined
  }
  if (BEGINNING.has(at.call) && at.occurrence <= 4 && !stderr.includes('tsrunc')) {
    // The C library ends a program that it cannot begin, in its own words.
    return undefined
  }
  const expected = verb.name === 'exec' || verb.name === 'run' ? [1, 126, 127, 255] : [1]
  if (!expected.includes(status)) {
    return `exit status ${status}`
  }
  const said = stderr.split('\n').filter((line) => new RegExp(`^tsrunc( ${verb.name})?: `).test(line))
  if (!said.some((line) => line.includes(`(${error})`))) {
    return `no message names ${error}`
  }
  const path = pathOf(at.call, ended.arguments)
  if (path !== undefined && !said.some((line) => tells(line, path))) {
    return `no message names ${path}`
  }
  return undefined
}

const tell = (verb: Verb, at: Point, error: string, ended: Supervised, wrong: string): void => {
  const to = process.env['SPEC_FAULTS_REPORT']
  if (to !== undefined) {
    const { status, stderr } = ended.outcome
    appendFileSync(
      to,
      `${JSON.stringify({ verb: verb.name, at: describePoint(at), error, args: ended.arguments, status, stderr, wrong })}\n`,
    )
  }
}

const judge = async (verb: Verb, b: Bundle, how: Usual, at: Point, error: string, ended: Supervised): Promise<void> => {
  const { outcome } = ended
  if (outcome.status === 0) {
    const effect = new Set(await verb.effect(b, ended))
    // runtime.md "Lifecycle" 13: what becomes of a poststop hook is worth a warning only.
    const warned = outcome.stderr.includes('warning: poststop hook') && outcome.stderr.includes(`(${error})`)
    const lacks = [...how.effect].filter((line) => !effect.has(line) && !(warned && line.startsWith('hook')))
    if (lacks.length > 0) {
      throw new Error(`succeeds, but lacks: ${lacks.join(' | ')}`)
    }
    if (ended.struck && !warned && harmless(verb.name, at, error, ended.arguments) === undefined) {
      throw new Error('succeeds, and nobody has said why it may')
    }
    return
  }
  await verb.failed(b, ended)
  const wrong = wrongWords(verb, at, error, ended)
  if (wrong !== undefined) {
    throw new Error(`${wrong}: status ${outcome.status}: ${outcome.stderr}`)
  }
}

const attempt = async (verb: Verb, b: Bundle, how: Usual, at: Point): Promise<string | undefined> => {
  const error = errorAt(at)
  await verb.prepare(b)
  const watched = await initOf(verb, b)
  let ended: Supervised | undefined
  try {
    ended = await supervised(verb.args(b), { ...watched, strike: { at, blow: errorNumber(error) } })
    await judge(verb, b, how, at, error, ended)
    await verb.clean(b)
    tell(verb, at, error, ended, '')
    return undefined
  } catch (wrong) {
    const words = wrong instanceof Error ? wrong.message : String(wrong)
    if (ended !== undefined) {
      tell(verb, at, error, ended, words)
    }
    await removed(b).catch(() => undefined)
    return `${describePoint(at)} ${error}: ${ended?.arguments}: ${words}`
  }
}

for (const verb of VERBS) {
  test(`${verb.name} [GEN-3]: a system call that fails is told, and nothing is left`, {
    only: ['tsrunc'],
    timeout: 36_000_000,
  }, async () => {
    requires('root')
    requiresThat(process.arch === 'x64', 'x86-64: the supervisor knows its registers')
    startPlanner()
    const b = await subject()
    sandbox().containers.add(b.id)
    const how = await usual(verb, b)
    const points = chosen(how.points, CASES[verb.name] ?? 20)
    const wrong: string[] = []
    for (const at of points) {
      const problem = await attempt(verb, b, how, at)
      if (problem !== undefined) {
        wrong.push(problem)
      }
    }
    console.log(`${verb.name}: ${points.length} of ${how.points.length} calls, SPEC_FAULTS_SEED=${SEED}`)
    await removed(b)
    if (wrong.length > 0) {
      throw new Error(
        `${wrong.length} of ${points.length} (SPEC_FAULTS_SEED=${SEED}):\n${wrong.slice(0, 40).join('\n')}`,
      )
    }
  })
}
