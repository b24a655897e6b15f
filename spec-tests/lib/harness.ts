import { test as vitestTest } from 'vitest'
import { Unmet } from './requires'
import { type RuntimeName, runtime } from './runtime'
import { closeSandbox, openSandbox } from './sandbox'

export interface TestOptions {
  /**
   * Runtimes that are known to deviate from the sentence, with the reason. Such a test is reported as skipped with the
   * reason, and fails when it passes.
   */
  readonly peers?: Readonly<Partial<Record<RuntimeName, string>>>
  /** What happens now and then only: the test may pass on that runtime too. */
  readonly sometimes?: boolean
  /** The only runtimes that the sentence is about. */
  readonly only?: readonly RuntimeName[]
  /** Milliseconds. */
  readonly timeout?: number
}

type Body = () => Promise<void>

const attempt = async (body: Body): Promise<unknown> => {
  const box = openSandbox()
  let failure: unknown
  try {
    await body()
  } catch (error) {
    failure = error ?? new Error('failed')
  }
  const left = await closeSandbox(box)
  if (left.length > 0 && !(failure instanceof Unmet)) {
    const cause = failure instanceof Error ? `\nbesides: ${failure.message}` : ''
    return new Error(`left behind:\n  ${left.join('\n  ')}${cause}`, { cause: failure })
  }
  return failure
}

/**
 * A test in a sandbox of its own. Its name is the sentence of the specification that it proves: `FILE#SECTION: sentence`.
 * It fails when the runtime leaves anything behind.
 */
export const test = (name: string, first: TestOptions | Body, second?: Body): void => {
  const options = typeof first === 'function' ? {} : first
  const body = typeof first === 'function' ? first : second
  if (body === undefined) {
    throw new Error(`no body: ${name}`)
  }
  vitestTest(name, { timeout: options.timeout ?? 30_000 }, async (context) => {
    if (options.only !== undefined && !options.only.includes(runtime().name)) {
      context.skip(`is about ${options.only.join(', ')} only`)
    }
    const failure = await attempt(body)
    if (failure instanceof Unmet) {
      context.skip(failure.message)
    }
    const deviation = options.peers?.[runtime().name]
    if (deviation === undefined) {
      if (failure !== undefined) {
        throw failure
      }
      return
    }
    if (failure === undefined && options.sometimes !== true) {
      throw new Error(`${runtime().name} is said to deviate (${deviation}), but passes`)
    }
    context.skip(`${runtime().name} deviates: ${deviation}`)
  })
}
