/** The planner within this process: dist/beside.js, read when the first container is made. */
import type { Beside } from '../planner/beside'
import type { Plans } from './runtime'

const tell = (why: string): void => {
  process.stderr.write(`${why}\n`)
}

async function load(): Promise<Beside> {
  const { Beside } = await import('../planner/beside')
  const beside = new Beside()
  process.once('exit', () => beside.close())
  return beside
}

/** Undefined: the user wants none, or one that is there already. */
export function plansOf(environment: Readonly<Record<string, string | undefined>>): Plans | undefined {
  const { TSRUNC_PLANNER: wish = '' } = environment
  if (wish !== '' && wish !== 'auto') return undefined
  let beside: Promise<Beside> | undefined
  return async (root) => {
    try {
      beside ??= load()
      return await (await beside).serves(root, tell)
    } catch (error) {
      tell(`plans are not made here: ${(error as Error).message}`)
      return false
    }
  }
}
