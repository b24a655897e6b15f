/** What is quoted of a series of measurements. Same unit as the series. */
export interface Summary {
  readonly count: number
  readonly least: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

/** The value below which the share `q` (0 to 1) of `values` lies, interpolated between neighbours.
 *  @throws RangeError for an empty series. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * q
  const below = sorted[Math.floor(position)]
  const above = sorted[Math.ceil(position)]
  if (below === undefined || above === undefined) throw new RangeError('no quantile of an empty series')
  return below + (above - below) * (position - Math.floor(position))
}

export function summarize(values: readonly number[]): Summary {
  const [least, p50, p90, p99] = [
    quantile(values, 0),
    quantile(values, 0.5),
    quantile(values, 0.9),
    quantile(values, 0.99),
  ]
  return { count: values.length, least, p50, p90, p99 }
}

/** A shuffled copy. Order matters here: what one runtime leaves to the kernel (a network namespace dies asynchronously)
 *  is paid by whoever comes next, so nobody may always come after the same neighbour. */
export function shuffled<T>(items: readonly T[]): readonly T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item)
}
