import { launch } from '../../lib'
import { exchanger } from '../../lib/programs'

/** How often a race is tried; environment variable SPEC_RACE_TRIES for more. */
export const TRIES = Number(process.env['SPEC_RACE_TRIES'] ?? '20')

/**
 * Exchanges two paths for ever while `attempt` runs, as a container does that shares the volume.
 *
 * @throws Error when the exchange came to an end before
 */
export const whileExchanging = async (a: string, b: string, attempt: () => Promise<void>): Promise<void> => {
  const running = launch([exchanger(), a, b])
  let ended: string | undefined
  void running.exited.then((outcome) => {
    ended = outcome.stderr
  })
  await running.pid
  for (let index = 0; index < TRIES; index++) {
    await attempt()
  }
  if (ended !== undefined) {
    throw new Error(`nothing was exchanged any more: ${ended}`)
  }
  await running.kill('SIGKILL')
  await running.exited
}
