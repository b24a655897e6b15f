import { bad, bundle, type Config, deepEqual, runtime, type TestOptions, test } from '../../lib'
import { deviations } from './peers'
import { ruleAt } from './proves'

/** Takes the property away. */
export const ABSENT = Symbol('absent')

/** Values by JSON pointer. */
export type Others = Readonly<Record<string, unknown>>

/**
 * One bad value: where it is, what it is, what has to stand besides it for the value to be all that is wrong.
 *
 * `names` is for a value that only the kernel can judge, where an operation is made of several properties: the pointer that the
 * message holds at least. `hostAtRisk` is for a value that would change the host if it were taken: no other runtime is asked.
 */
export type Row = readonly [
  pointer: string,
  value: unknown,
  others?: Others,
  more?: { readonly names?: string; readonly hostAtRisk?: boolean },
]

type Node = Record<string, unknown>

const steps = (pointer: string): string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

/** Sets what a JSON pointer (RFC 6901) leads to; what is missing on the way is made, a list where the next step is a number. */
const put = (config: Config, pointer: string, value: unknown): void => {
  const path = steps(pointer)
  const last = path.pop() ?? ''
  let node: Node = bad<Node>(config)
  path.forEach((step, index) => {
    node[step] ??= /^\d+$/.test(path[index + 1] ?? last) ? [] : {}
    node = bad<Node>(node[step])
  })
  if (value === ABSENT) {
    delete node[last]
  } else {
    node[last] = structuredClone(value)
  }
}

const configured = (config: Config, [pointer, value, others = {}]: Row): void => {
  for (const [at, other] of Object.entries(others)) {
    put(config, at, other)
  }
  put(config, pointer, value)
}

const shown = (value: unknown): string => {
  const text = (JSON.stringify(value) ?? String(value)).replace(/"\\u0000digits:([^"]+)"/g, '$1')
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The pointer as a whole, not as the beginning of a longer one. */
const named = (pointer: string): RegExp =>
  new RegExp(`config\\.json ${pointer.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w/~-])`)

/** The options of a test by what is known of other runtimes. */
export const peersFor = (title: string): TestOptions => ({ peers: deviations(title), sometimes: true })

/** Engines show a person the last line: a message is one line. */
const isOneLine = (errors: string): void => {
  if (runtime().quirks.tellsStories) {
    const strays = errors.split('\n').filter((line) => line !== '' && !line.startsWith(`${runtime().name} `))
    deepEqual(strays, [])
  }
}

/** A test for each row: `create` refuses the value, says where it stands and leaves nothing behind. */
export const refuses = (section: string, rows: readonly Row[]): void => {
  for (const row of rows) {
    const [pointer, value, , { names = pointer, hostAtRisk = false } = {}] = row
    const title = value === ABSENT ? `${pointer} is REQUIRED` : `${pointer} must not be ${shown(value)}`
    const options: TestOptions = hostAtRisk ? { only: ['tsrunc'] } : peersFor(title)
    test(`${section} [${ruleAt(pointer)}]: ${title}`, options, async () => {
      const b = await bundle((config) => configured(config, row))
      isOneLine(await b.refused(named(names)))
    })
  }
}

/** The other side of {@link refuses}: a test for each row that `create` takes the value. The section comes with its rules. */
export const takes = (section: string, rows: readonly Row[]): void => {
  for (const row of rows) {
    const [pointer, value] = row
    const title = `${pointer} may be ${value === ABSENT ? 'absent' : shown(value)}`
    test(`${section}: ${title}`, peersFor(title), async () => {
      const b = await bundle((config) => configured(config, row))
      await b.create()
    })
  }
}
