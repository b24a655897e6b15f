/**
 * config-linux.md speaks of cgroup v1; these are the conversions of its values to those of v2.
 */

/** Range of cpu.shares (the kernel's MIN_SHARES and MAX_SHARES). */
export const SHARES_MIN = 2n
export const SHARES_MAX = 262144n

/**
 * cpu.shares (2 to 262144) to cpu.weight (1 to 10000), by a quadratic curve through 2→1, 1024→100 and 262144→10000, so
 * that the default stays the default. It is the one of runc 1.3.2 and crun 1.23. What is outside of the range becomes
 * its border.
 */
export function weightOfShares(shares: bigint): number {
  if (shares <= SHARES_MIN) return 1
  if (shares >= SHARES_MAX) return 10000
  const log = Math.log2(Number(shares))
  // 126/612 is the constant 7/34, in one fraction: exact for the three points above.
  return Math.ceil(10 ** ((log * log + 125 * log - 126) / 612))
}

/** blkio.weight (10 to 1000) to io.weight (1 to 10000), linear. */
export const ioWeightOfBlockWeight = (weight: number): number => 1 + Math.floor(((weight - 10) * 9999) / 990)
