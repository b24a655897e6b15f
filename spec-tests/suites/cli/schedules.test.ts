// Random schedules of all verbs, by one caller and by several at once, against a model of the states.
//   SPEC_SEED=N        another sample (the seed is in each failure)
//   SPEC_SCHEDULES=N   that many of each kind
import { type Bundle, bundle, deepEqual, fail, leftSoFar, ok, test } from '../../lib'
import { type Answer, explain, type Status, seen, VERBS, type Verb } from './schedule-model'

const SEED = Number(process.env['SPEC_SEED'] ?? '1')
const SCHEDULES = Number(process.env['SPEC_SCHEDULES'] ?? '2')
const ROUNDS = 12
/** A verb that node plans takes some tenths of a second on a busy machine. */
const TIMEOUT = 60_000 + SCHEDULES * 60_000

/** mulberry32: numbers from 0 to 1 that are the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** As often as they are wanted: a schedule of deletes only would say little. */
const WEIGHTS: Readonly<Record<Verb, number>> = {
  create: 6,
  start: 5,
  kill: 3,
  delete: 3,
  'delete --force': 1,
  pause: 2,
  resume: 2,
  exec: 2,
  update: 1,
  ps: 1,
}

function pick(next: () => number): Verb {
  const total = VERBS.reduce((sum, verb) => sum + WEIGHTS[verb], 0)
  const at = next() * total
  let sum = 0
  for (const verb of VERBS) {
    sum += WEIGHTS[verb]
    if (at < sum) return verb
  }
  return 'create'
}

/** A program that is paused while exec waits for its end would be waited for until a later round. */
const together = (verbs: readonly Verb[]): readonly Verb[] =>
  verbs.includes('pause') ? verbs.map((verb) => (verb === 'exec' ? 'ps' : verb)) : verbs

interface Call extends Answer {
  readonly said: string
}

async function call(b: Bundle, verb: Verb): Promise<Call> {
  const outcome =
    verb === 'create'
      ? await b.tryCreate()
      : verb === 'kill'
        ? await b.tryCall('kill', {}, 'KILL')
        : verb === 'delete --force'
          ? await b.tryCall('delete', { flags: ['--force'] })
          : verb === 'exec'
            ? await b.tryExec({}, '/bin/probe', 'echo', 'x')
            : verb === 'update'
              ? await b.tryCall('update', { flags: ['--pids-limit', '100'] })
              : await b.tryCall(verb)
  // A failure says which one it is; a success says nothing of an error.
  if (outcome.status !== 0) ok(outcome.stderr !== '', `${verb} failed with ${outcome.status} and said nothing`)
  return { verb, succeeded: outcome.status === 0, said: outcome.stderr.trim() }
}

async function statusOf(b: Bundle): Promise<string | undefined> {
  const { status, stdout, stderr } = await b.tryCall('state')
  if (status === 0) return (JSON.parse(stdout) as { status: string }).status
  ok(/does not exist|No such file or directory/.test(stderr), stderr)
  return undefined
}

/** One container in a schedule, and what may have become of it. */
class Watched {
  readonly bundle: Bundle
  #statuses: ReadonlySet<Status> = new Set<Status>(['gone'])
  readonly #history: string[] = []

  constructor(b: Bundle) {
    this.bundle = b
  }

  /** The verbs at the same time; then what `state` says. */
  async round(verbs: readonly Verb[], seed: number): Promise<void> {
    const before = [...this.#statuses]
    const answers = await Promise.all(verbs.map((verb) => call(this.bundle, verb)))
    const possible = explain(this.#statuses, answers)
    const said = await statusOf(this.bundle)
    this.#statuses = seen(possible, said)
    const told = answers.map(({ verb, succeeded, said: words }) => `${verb}: ${succeeded ? 'done' : words}`)
    this.#history.push(`  ${before.join(' or ')} → ${told.join(' | ')} → ${said ?? 'gone'}`)
    if (this.#statuses.size > 0) return
    const what =
      possible.size === 0 ? 'no order explains the last answers' : `the end is none of ${[...possible].join(', ')}`
    fail(`SPEC_SEED=${seed}: ${what}\n${this.#history.join('\n')}`)
  }

  async #stopped(): Promise<void> {
    const end = Date.now() + 30_000
    while ((await statusOf(this.bundle)) !== 'stopped')
      ok(Date.now() < end, 'the container was killed and does not stop')
  }

  /** What was killed ends; delete --force leaves nothing. */
  async end(): Promise<void> {
    const killed = this.#statuses.has('dying') && !this.#statuses.has('paused')
    const paused = (await statusOf(this.bundle)) === 'paused'
    if (killed && !paused) await this.#stopped()
    await call(this.bundle, 'delete --force')
    ok((await statusOf(this.bundle)) === undefined)
  }
}

async function schedule(seed: number, containers: number, callers: number): Promise<void> {
  const next = random(seed)
  const watched = await Promise.all(
    Array.from({ length: containers }, async () => {
      const b = await bundle()
      b.command(['sleep', '600'])
      return new Watched(b)
    }),
  )
  for (let round = 0; round < ROUNDS; round += 1) {
    // Each caller asks for something of one of the containers.
    const verbs = watched.map((): Verb[] => [])
    for (let caller = 0; caller < callers; caller += 1) {
      verbs[Math.floor(next() * containers)]?.push(pick(next))
    }
    await Promise.all(watched.map((one, index) => one.round(together(verbs[index] ?? []), seed)))
  }
  await Promise.all(watched.map((one) => one.end()))
  deepEqual(await leftSoFar(), [], `SPEC_SEED=${seed}`)
}

async function schedules(containers: number, callers: number): Promise<void> {
  for (let seed = SEED; seed < SEED + SCHEDULES; seed += 1) await schedule(seed, containers, callers)
}

test('one caller, one container: each verb does what the state allows', { timeout: TIMEOUT }, () => schedules(1, 1))

const RACES = { runc: 'verbs do not wait for each other', crun: 'verbs do not wait for each other' }

test(
  'several callers, one container: some order explains all answers',
  {
    timeout: TIMEOUT,
    peers: RACES,
    sometimes: true,
  },
  () => schedules(1, 3),
)

test(
  'several callers, several containers: some order explains all answers of each',
  {
    timeout: TIMEOUT,
    peers: RACES,
    sometimes: true,
  },
  () => schedules(3, 6),
)
