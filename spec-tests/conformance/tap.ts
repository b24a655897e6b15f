/** One `ok` or `not ok` of a TAP stream. */
export interface TapResult {
  readonly passed: boolean
  readonly description: string
  readonly directive: 'SKIP' | 'TODO' | undefined
}

/** TAP streams one after the other, https://testanything.org/tap-version-13-specification.html. */
export interface Tap {
  readonly results: readonly TapResult[]
  /** The number of results that the streams announce together. */
  readonly plan: number | undefined
  /** The YAML blocks, as text. */
  readonly blocks: readonly string[]
}

const RESULT = /^(not )?ok\b(?: \d+)?(?: -)?(?: (.*?))??(?: # (SKIP|TODO)\b.*)?$/

/** Reads TAP; lines that are none of it are passed over. */
export const parseTap = (text: string): Tap => {
  const results: TapResult[] = []
  const blocks: string[] = []
  let plan: number | undefined
  let block: string[] | undefined
  for (const line of text.split('\n')) {
    if (block !== undefined) {
      if (/^\s+\.\.\.$/.test(line)) {
        blocks.push(block.join('\n'))
        block = undefined
      } else {
        block.push(line.trim())
      }
      continue
    }
    const result = RESULT.exec(line)
    if (/^\s+---$/.test(line)) {
      block = []
    } else if (/^1\.\.\d+/.test(line)) {
      plan = (plan ?? 0) + Number.parseInt(line.slice(3), 10)
    } else if (result !== null) {
      const [, bad, description = '', directive] = result
      results.push({ passed: bad === undefined, description, directive: directive as TapResult['directive'] })
    }
  }
  return { results, plan, blocks }
}

/** What one program says of a runtime. */
export interface Verdict {
  readonly passed: boolean
  /** Why it failed, or how many results it had, in one line. */
  readonly why: string
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 200)

/** The text of a block's "error"; the suite's blocks are JSON. */
const errorOf = (block: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(block)
    return typeof value === 'object' && value !== null && 'error' in value ? String(value.error) : undefined
  } catch {
    return undefined
  }
}

/**
 * Judges a program of the suite. Some never print a result: their plan is 1..0, or they print nothing at all; then a block
 * with "error" is the failure, or the status. One that ends with another status than 0 could not do its work.
 */
export const judge = (status: number, stdout: string, stderr: string): Verdict => {
  const { results, plan, blocks } = parseTap(stdout)
  const bad = results.filter((result) => !result.passed && result.directive !== 'TODO')
  const [first] = bad
  if (first !== undefined) {
    return { passed: false, why: oneLine(`${bad.length} of ${results.length}: ${first.description}`) }
  }
  if (status !== 0) {
    const last = stderr.trim().split('\n').at(-1) ?? ''
    return { passed: false, why: oneLine(`status ${status}: ${last}`) }
  }
  if (stdout.trim() === '') {
    return { passed: true, why: 'nothing printed, status 0' }
  }
  if (plan === undefined || plan !== results.length) {
    return { passed: false, why: `${results.length} results of ${plan ?? 'an unknown number'}` }
  }
  const error = plan === 0 ? blocks.map(errorOf).find((text) => text !== undefined) : undefined
  if (error !== undefined) {
    return { passed: false, why: oneLine(error) }
  }
  const skipped = results.filter((result) => result.directive === 'SKIP').length
  return { passed: true, why: `${results.length} results${skipped > 0 ? `, ${skipped} of them skipped` : ''}` }
}
