// Many containers, one after the other and side by side: nothing is left, and no exit code is lost.
//   SPEC_CYCLES=10000   create, start, kill and delete as often
//   SPEC_PARALLEL=200   as many at once
import { bundle, callRuntime, deepEqual, equal, leftSoFar, sandbox, test } from '../../lib'

const CYCLES = Number(process.env['SPEC_CYCLES'] ?? '10')
const PARALLEL = Number(process.env['SPEC_PARALLEL'] ?? '12')
/** Seconds for each; on a busy machine create takes some tenths of one. */
const PATIENCE = 10_000

test('create, start, kill and delete, over and over: nothing is left', {
  timeout: 60_000 + PATIENCE * CYCLES,
}, async () => {
  const b = await bundle()
  b.command(['sleep', '600'])
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    await b.create()
    await b.start()
    equal((await b.state()).status, 'running', `cycle ${cycle}`)
    await b.kill('KILL')
    // Refused until it has ended.
    let deleted = await b.tryCall('delete')
    for (const end = Date.now() + 30_000; deleted.status !== 0 && Date.now() < end; )
      deleted = await b.tryCall('delete')
    equal(deleted.status, 0, `cycle ${cycle}: ${deleted.stderr}`)
    if (cycle % 100 === 99) deepEqual(await leftSoFar(), [], `after ${cycle + 1} cycles`)
    // How far a long run came that is ended by hand.
    if (cycle % 1000 === 999) console.log(`${cycle + 1} cycles`)
  }
  deepEqual(await leftSoFar(), [])
})

test('many at the same time: each exit code arrives, and nothing is left', {
  timeout: 60_000 + PATIENCE * PARALLEL,
}, async () => {
  const bundles = await Promise.all(Array.from({ length: PARALLEL }, () => bundle()))
  const codes = await Promise.all(
    bundles.map(async (b, index) => {
      b.command(['exit', String(index % 256)])
      return (await b.tryRun()).status
    }),
  )
  deepEqual(
    codes,
    bundles.map((_, index) => index % 256),
  )
  equal((await callRuntime(['list', '--quiet'])).stdout, '', sandbox().marks.root)
  deepEqual(await leftSoFar(), [])
})
