/**
 * How many times longer than usual everything may take: environment variable SPEC_PATIENCE, else 1. In an emulated machine
 * a runtime is about thirty times as slow; what a test waits for is the same.
 */
const PATIENCE = Number(process.env['SPEC_PATIENCE'] ?? '1')

/** A number of milliseconds, or of rounds, for this machine. */
export const patient = (amount: number): number => Math.ceil(amount * PATIENCE)
