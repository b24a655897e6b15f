// SIGKILL of one of the runtime's processes at one of its system calls, whichever verb it is: `delete --force` takes everything away,
// and a verb that comes at the same time waits or fails in words. suites/crash has more about create, start, run and delete.
import { type Bundle, match, ok, requires, requiresThat, sandbox, startPlanner, test } from '../../lib'
import { chosen, SEED } from './selection'
import { describePoint, type Point, supervised } from './supervised'
import { removed, subject, VERBS, type Verb } from './verbs'

const MOST = 8

const watch = async (verb: Verb, b: Bundle) => (verb.init === undefined ? {} : { init: await verb.init(b) })

/** Whoever comes at the same time has an answer, or a reason. */
const meanwhile = async (b: Bundle): Promise<void> => {
  for (const words of [['state'], ['kill', 'KILL']] as const) {
    const [verb, ...rest] = words
    const { status, stderr } = await b.tryCall(verb, {}, ...rest)
    ok(status === 0 || status === 1, `${verb}: status ${status}: ${stderr}`)
    if (status === 1) match(stderr, new RegExp(`^tsrunc ${verb}: .`, 'm'))
  }
}

const dies = async (verb: Verb, b: Bundle, at: Point, accompanied: boolean): Promise<void> => {
  await verb.prepare(b)
  const how = { ...(await watch(verb, b)), strike: { at, blow: 'SIGKILL' } } as const
  await Promise.all([supervised(verb.args(b), how), accompanied ? meanwhile(b) : Promise.resolve()])
  await removed(b, /^(tsrunc delete: warning: (.*there is no plan|.*poststop hook).*\n)*$/)
}

for (const verb of VERBS) {
  test(`${verb.name} [GEN-3]: whichever process is killed at whichever call, delete --force leaves nothing`, {
    only: ['tsrunc'],
    timeout: 36_000_000,
  }, async () => {
    requires('root')
    requiresThat(process.arch === 'x64', 'x86-64: the supervisor knows its registers')
    startPlanner()
    const b = await subject()
    sandbox().containers.add(b.id)
    await verb.prepare(b)
    const { points } = await supervised(verb.args(b), await watch(verb, b))
    await removed(b)
    const wrong: string[] = []
    const tried = chosen(points, MOST)
    for (const [index, at] of tried.entries()) {
      await dies(verb, b, at, index % 3 === 0).catch(async (error: unknown) => {
        wrong.push(`${describePoint(at)}: ${error instanceof Error ? error.message : String(error)}`)
        await removed(b).catch(() => undefined)
      })
    }
    console.log(`${verb.name}: ${tried.length} of ${points.length} calls, SPEC_FAULTS_SEED=${SEED}`)
    ok(wrong.length === 0, `${wrong.length} of ${tried.length} (SPEC_FAULTS_SEED=${SEED}):\n${wrong.join('\n')}`)
  })
}
