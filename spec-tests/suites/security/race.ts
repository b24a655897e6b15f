import { launch } from '../../lib'
import { exchanger } from '../../lib/programs'

/** How often a race is tried; environment variable SPEC_RACE_TRIES for more. */
export const TRIES = Number(process.env['SPEC_RACE_TRIES'] ?? '20')

/** Milliseconds for all tries of a test, on a busy machine. */
export const PATIENCE = 60_000 + TRIES * 5_000

/**
 * Exchanges two paths for ever while `attempt` runs, as a container does that shares the volume.
 *
 * @param share which part of the tries: where many places are tried
 * @throws Error when the exchange came to an end before
 */
export const whileExchanging = async (a: string, b: string, attempt: () => Promise<void>, share = 1): Promise<void> => {
  const running = launch([exchanger(), a, b], { timeout: PATIENCE })
  let ended: string | undefined
  void running.exited.then((outcome) => {
    ended = outcome.stderr
  })
  await running.pid
  for (let index = 0; index < TRIES * share; index++) {
    await attempt()
  }
  if (ended !== undefined) {
    throw new Error(`nothing was exchanged any more: ${ended}`)
  }
  await running.kill('SIGKILL')
  await running.exited
}
