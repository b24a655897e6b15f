/**
 * How the properties of this folder are tried: a fixed number of values of a fixed seed, so that a run says the same as
 * the one before; or, by hand, any seed for any time (docs/FUZZING.md).
 */
import fc from 'fast-check'
import { expect } from 'vitest'

/** FUZZ_SEED: another sample. */
export const SEED = Number(process.env['FUZZ_SEED'] ?? '20260704')
/** FUZZ_SECONDS: how long each property is tried, in place of its number of values. */
export const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? '0')

const BOUNDS =
  SECONDS > 0
    ? { numRuns: 2 ** 31 - 1, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false }
    : undefined

/** Fails with the seed and the smallest value that was found for which `check` throws. */
export function holds<T>(runs: number, values: fc.Arbitrary<T>, check: (value: T) => void): void {
  const report = fc.check(fc.property(values, check), { seed: SEED, numRuns: runs, ...BOUNDS })
  if (SECONDS > 0) {
    const { currentTestName } = expect.getState()
    process.stdout.write(`${report.numRuns} values, seed ${SEED}: ${currentTestName}\n`)
  }
  if (!report.failed) return
  const cause = report.errorInstance
  throw new Error(fc.defaultReportMessage(report) ?? 'it does not hold', cause === null ? {} : { cause })
}
