import { quote, TsruncError } from '../errors'
import type { HostFacts } from '../host/facts'
import type { Hooks, Spec } from '../spec/types'

/** execve(2) "Limits on size of arguments and environment": MAX_ARG_STRLEN is 32 pages, with the NUL. */
const STRING_PAGES = 32
/** All strings and the pointers to them: at most three quarters of 8 MiB, whatever the limit of the stack. */
const MOST_TOGETHER = 6 << 20
/** And a quarter of the stack's limit, but at least ARG_MAX. */
const LEAST_TOGETHER = 128 << 10

/** A string takes its bytes, its NUL and a pointer. */
const sizeOf = (list: readonly string[]): number => list.reduce((sum, text) => sum + Buffer.byteLength(text) + 1 + 8, 0)

/** Errors: EXEC_SIZE. A UTF-16 unit takes at most three bytes, so that short texts need no counting. */
function checkStrings(
  program: string | undefined,
  list: readonly string[] | undefined,
  pointer: string,
  { pageSize }: HostFacts,
): void {
  const most = STRING_PAGES * pageSize - 1
  const index = list?.findIndex((text) => text.length > most / 3 && Buffer.byteLength(text) > most) ?? -1
  if (list === undefined || index < 0) return
  const bytes = Buffer.byteLength(list[index] ?? '')
  const limit = `has at most ${most} bytes (execve(2), MAX_ARG_STRLEN), this one has ${bytes}`
  const message = `execute ${quote(program ?? '')}: argument list too long: an argument or variable ${limit}`
  throw new TsruncError('EXEC_SIZE', message, { pointer: `${pointer}/${index}` })
}

const HOOKS = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const satisfies readonly (keyof Hooks)[]

/** What execve(2) would refuse, when start can no longer be taken back, is refused by create. Errors: EXEC_SIZE. */
export function checkExecSize({ process, hooks }: Spec, facts: HostFacts): void {
  const program = process?.args?.[0]
  checkStrings(program, process?.args, '/process/args', facts)
  checkStrings(program, process?.env, '/process/env', facts)
  for (const name of HOOKS) {
    hooks?.[name]?.forEach(({ path, args, env }, index) => {
      checkStrings(path, args, `/hooks/${name}/${index}/args`, facts)
      checkStrings(path, env, `/hooks/${name}/${index}/env`, facts)
    })
  }
  const { args = [], env = [], rlimits = [] } = process ?? {}
  const stack = rlimits.find(({ type }) => type === 'RLIMIT_STACK')?.soft
  const quarter = stack === undefined ? MOST_TOGETHER : Number(stack) / 4
  const most = Math.floor(Math.min(MOST_TOGETHER, Math.max(LEAST_TOGETHER, quarter)))
  const [ofArgs, ofEnv] = [sizeOf(args), sizeOf(env)]
  if (ofArgs + ofEnv <= most) return
  const why = stack === undefined ? '' : ', a quarter of RLIMIT_STACK'
  const message = `execute ${quote(program ?? '')}: argument list too long: args and env together take ${ofArgs + ofEnv} bytes, and execve(2) takes at most ${most}${why}`
  throw new TsruncError('EXEC_SIZE', message, { pointer: ofArgs > ofEnv ? '/process/args' : '/process/env' })
}
