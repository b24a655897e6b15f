/** Highest CPU that a Linux kernel can be built for (NR_CPUS of x86). */
export const MAX_CPU = 8191
/** Highest memory node that a Linux kernel can be built for (MAX_NUMNODES). */
export const MAX_NODE = 1023

/**
 * A list of CPUs or memory nodes as config.md "Linux Process" (execCPUAffinity) and config-linux.md "Memory policy" write
 * it: numbers and ranges with commas between them, as in "0-3,7". Blanks around and empty entries are allowed, as with
 * runc.
 *
 * @returns the numbers, ascending, each once; undefined where the list has another form or a number above `max`
 */
export function parseNumberList(list: string, max: number): readonly number[] | undefined {
  const numbers = new Set<number>()
  for (const part of list.split(/[\s,]+/)) {
    if (part === '') continue
    const [, start, end = start] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? []
    const [first, last] = [Number(start), Number(end)]
    // Number(undefined) is NaN, which is in no order.
    if (!(first <= last && last <= max)) return undefined
    for (let number = first; number <= last; number++) numbers.add(number)
  }
  return [...numbers].sort((a, b) => a - b)
}
