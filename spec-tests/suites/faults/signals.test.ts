// SIGTERM to a `run` at one of its system calls: either the container is taken back and the run ends by the signal, or the signal is
// the program's. Never does a program that has begun die of it, and nothing is left in either case.
import { deepEqual, leftSoFar, ok, requires, requiresThat, sandbox, startPlanner, test } from '../../lib'
import { chosen, SEED } from './selection'
import { describePoint, supervised } from './supervised'
import { removed, subject } from './verbs'

const MOST = 8
const TURNING = 16
/** As a shell tells the end by SIGTERM. */
const TERMINATED = 128 + 15
/** The program, which ignores the signal as each first process of a pid namespace does, ends by itself. */
const ENDED = 0

// Seen to fail where signals were taken for interruptions until tsrunc had heard that init waits, though its word to begin was there.
test("run [GEN-3]: SIGTERM at whichever call ends it before the program has begun, or is the program's", {
  only: ['tsrunc'],
  timeout: 36_000_000,
}, async () => {
  requires('root')
  requiresThat(process.arch === 'x64', 'x86-64: the supervisor knows its registers')
  startPlanner()
  const b = await subject()
  sandbox().containers.add(b.id)
  b.command(['echo', 'begun'])
  const args = ['--planner', 'on', 'run', '--bundle', b.path, b.id]
  const { points } = await supervised(args)
  // Those of the process that was called, and not of its clones.
  const own = points.filter(({ role }) => /^\d+$/.test(role))
  const wrong: string[] = []
  // Always those at which the container comes to be its program's: behind the state that says that there is one.
  const saved = own.findIndex(({ call }) => call === 'renameat')
  ok(saved >= 0, 'the state is not saved by renameat(2) any more')
  const turning = own.slice(saved, saved + TURNING)
  const tried = [...turning, ...chosen(own, MOST).filter((point) => !turning.includes(point))]
  for (const at of tried) {
    const { outcome } = await supervised(args, { strike: { at, blow: 'SIGTERM' } })
    const left = await leftSoFar()
    if ((outcome.status !== TERMINATED && outcome.status !== ENDED) || left.length > 0) {
      wrong.push(
        `${describePoint(at)}: status ${outcome.status}: ${outcome.stdout} ${outcome.stderr} left: ${left.join('; ')}`,
      )
      await removed(b).catch(() => undefined)
    }
  }
  console.log(`run: ${tried.length} of ${own.length} calls, SPEC_FAULTS_SEED=${SEED}`)
  deepEqual(wrong, [], `SPEC_FAULTS_SEED=${SEED}`)
})
