import { test as vitestTest } from 'vitest'
import { idsIn } from '../requirements'
import { patient } from './patience'
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

/** What a result says of itself besides passed, failed and skipped; docs/SPEC-CONFORMANCE.md is made of it. */
declare module 'vitest' {
  interface TaskMeta {
    /** Identifiers of spec-tests/requirements. */
    proves?: readonly string[]
    /** The runtime is known to deviate, and why. */
    deviates?: string
    /** What the host lacks. */
    unmet?: string
  }
}

/** @throws Error when the title names a section of the specification and no rule that the test proves */
const proves = (title: string): readonly string[] => {
  const ids = idsIn(title)
  if (ids.length === 0 && /^(bundle|config|features|glossary|runtime)[a-z-]*\.md/.test(title)) {
    throw new Error(`which rule of spec-tests/requirements does it prove? "FILE#SECTION [ID ID]: sentence": ${title}`)
  }
  return ids
}

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
 * A test in a sandbox of its own. Its name is the sentence of the specification that it proves: `FILE#SECTION [ID …]: sentence`,
 * with the identifiers of the rules in spec-tests/requirements. It fails when the runtime leaves anything behind.
 */
export const test = (name: string, first: TestOptions | Body, second?: Body): void => {
  const options = typeof first === 'function' ? {} : first
  const body = typeof first === 'function' ? first : second
  if (body === undefined) {
    throw new Error(`no body: ${name}`)
  }
  const ids = proves(name)
  vitestTest(name, { timeout: patient(options.timeout ?? 30_000) }, async (context) => {
    context.task.meta.proves = ids
    if (options.only !== undefined && !options.only.includes(runtime().name)) {
      context.skip(`is about ${options.only.join(', ')} only`)
    }
    const failure = await attempt(body)
    if (failure instanceof Unmet) {
      context.task.meta.unmet = failure.message
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
    context.task.meta.deviates = deviation
    context.skip(`${runtime().name} deviates: ${deviation}`)
  })
}
