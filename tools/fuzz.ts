/**
 * Fuzzing by hand, for as long as you like: npm run fuzz -- --minutes N [--seed N] (docs/FUZZING.md). The properties in
 * src/fuzz and the harnesses of native/tests, with half of the time each.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = join(__dirname, '..')
/** Harnesses of native/tests/build, and properties of the file in src/fuzz that has the most: its files run side by side. */
const HARNESSES = 6
const PROPERTIES = 14

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const half = Number(values.minutes) * 30
if (!(half > 0) || !/^\d+$/.test(values.seed)) throw new Error('--minutes N and --seed N: numbers')

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) {
    process.stderr.write(`${command} ${args.join(' ')}: found something; seed ${values.seed}\n`)
    process.exitCode = 1
  }
}

process.stdout.write(`seed ${values.seed}\n`)
const vitest = join(ROOT, 'node_modules/.bin/vitest')
const seconds = String(Math.max(1, Math.round(half / PROPERTIES)))
run(vitest, ['run', '--project', 'unit', 'src/fuzz'], { FUZZ_SECONDS: seconds, FUZZ_SEED: values.seed })
const time = `-max_total_time=${Math.max(1, Math.round(half / HARNESSES))}`
run(
  join(ROOT, 'native/tests/build'),
  ['fuzz', 'build/native-tests', time, `-seed=${values.seed}`, '-print_final_stats=1'],
  {},
)
