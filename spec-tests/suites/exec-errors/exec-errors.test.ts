// config.md "Process", args: what becomes of a program that cannot be executed, and what a person is told.

import type { Outcome } from '../../lib'
import {
  type Bundle,
  bundle,
  deepEqual,
  equal,
  leftSoFar,
  match,
  notEqual,
  ok,
  runtime,
  scratch,
  test,
} from '../../lib'
import { CASES, type Case, prepare } from './cases'
import { dockerStatus, lastError } from './log'

const failing = async (one: Case): Promise<Bundle> => {
  const b = await bundle()
  prepare(b, one)
  return b
}

/** The words of the message, on standard error and as the last error of the log. */
const tells = ({ says, docker }: Case, errors: string, log: string, format: 'text' | 'json'): void => {
  if (!runtime().quirks.tellsStories) {
    return
  }
  const message = lastError(log, format)
  for (const words of says) {
    match(message, words)
  }
  if (docker !== undefined) {
    equal(dockerStatus(message), docker, message)
  }
  const lines = errors.split('\n').filter((line) => line !== '')
  equal(lines.length, 1, errors)
  ok(lines[0]?.endsWith(message), `standard error says ${JSON.stringify(errors)}, the log ${JSON.stringify(message)}`)
}

/** `create`, and `start` if it takes that to see it. */
const attempt = async (b: Bundle, log: string): Promise<Outcome> => {
  const created = await b.tryCreate({ global: ['--log', log] })
  return created.status === 0 ? await b.tryCall('start', { global: ['--log', log] }) : created
}

for (const one of CASES) {
  test(`config.md#process [PRC-5c GEN-3]: run of ${one.what} fails, says why and leaves nothing`, async () => {
    const b = await failing(one)
    const log = scratch('log.json')
    const outcome = await b.tryRun({ global: ['--log', log, '--log-format', 'json'] })
    if (runtime().quirks.tellsStories) {
      equal(outcome.status, 1, outcome.stderr)
    }
    notEqual(outcome.status, 0)
    tells(one, outcome.stderr, log, 'json')
    deepEqual(await leftSoFar(), [])
  })

  // Other runtimes report what execve(2) itself refuses when `start` has returned already.
  test(`runtime.md#start [PRC-5c GEN-3]: ${one.what}: create or start fails, and delete --force removes what is left`, {
    only: ['tsrunc'],
  }, async () => {
    const b = await failing(one)
    const log = scratch('log.txt')
    const outcome = await attempt(b, log)
    equal(outcome.status, 1, outcome.stderr)
    tells(one, outcome.stderr, log, 'text')
    await b.delete({ flags: ['--force'] })
    deepEqual(await leftSoFar(), [])
  })
}
