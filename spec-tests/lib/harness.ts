import { afterAll, test as vitestTest } from 'vitest'
import { idsIn } from '../requirements'
import { denial } from './denial'
import { patient } from './patience'
import { Unmet } from './requires'
import { type RuntimeName, runtime } from './runtime'
import { closeSandbox, openSandbox, plansCold } from './sandbox'
import { endSharedPlanner } from './shared-planner'

afterAll(endSharedPlanner)

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

/** The test fails, and the runtime has said that it cannot do without what SPEC_DENY takes away. */
class Refused {}

/** How long a body may go on when its containers and programs were ended, and nothing of the library answers it any more. */
const PARTING = 10_000
/** For taking away what a test has left, beyond its own time. */
const CLEANING = 90_000

/** What is wrong with the body, or undefined. `settled` comes when it has really ended. */
const within = async (milliseconds: number, settled: Promise<unknown>): Promise<unknown> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Error>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`the test takes longer than ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}

const attempt = async (body: Body, milliseconds: number): Promise<unknown> => {
  const box = openSandbox()
  const settled = Promise.resolve()
    .then(body)
    .then(
      () => undefined,
      (error: unknown) => error ?? new Error('failed'),
    )
  const failure = await within(milliseconds, settled)
  const refused = box.denied === 'refused'
  const left = await closeSandbox(box)
  // One that was too slow must not call the runtime in the sandbox of the next test.
  await within(PARTING, settled)
  if (left.length > 0 && !(failure instanceof Unmet)) {
    const cause = failure instanceof Error ? `\nbesides: ${failure.message}` : ''
    return new Error(`left behind:\n  ${left.join('\n  ')}${cause}`, { cause: failure })
  }
  return failure !== undefined && refused ? new Refused() : failure
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
  const milliseconds = patient(options.timeout ?? 30_000)
  vitestTest(name, { timeout: milliseconds + CLEANING }, async (context) => {
    context.task.meta.proves = ids
    if (options.only !== undefined && !options.only.includes(runtime().name)) {
      context.skip(`is about ${options.only.join(', ')} only`)
    }
    const failure = await attempt(body, milliseconds)
    if (failure instanceof Refused) {
      context.skip(`is refused without ${denial()}`)
    }
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

/**
 * The same in a file that is about node, or about planners that its tests start by themselves. It is said of each test: in a
 * machine the tests of all files are one program.
 */
export const coldTest: typeof test = (name, first, second) => {
  const coldly = (body: Body | undefined): Body | undefined =>
    body &&
    (() => {
      plansCold()
      return body()
    })
  if (typeof first === 'function') test(name, coldly(first) ?? first)
  else test(name, first, coldly(second))
}
