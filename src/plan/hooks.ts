import { quote } from '../errors'
import type { Hook, Hooks } from '../spec/types'
import { ANNOTATIONS, pathAnnotation } from './annotations'
import type { PlanBuilder } from './builder'
import type { CredentialsPlan } from './credentials'
import { NO_SLOT, type Op } from './ops'

/**
 * The state's status that a hook reads. runtime.md "State": created begins after step 2 of the lifecycle, and the first
 * hooks are its step 3.
 */
const STATUS = {
  prestart: 'created',
  createRuntime: 'created',
  createContainer: 'created',
  startContainer: 'created',
  poststart: 'running',
  poststop: 'stopped',
} as const satisfies Readonly<Record<keyof Hooks, string>>

/** What sets the hooks of one kind apart. */
interface HookSetting {
  /** Environment of a hook that has none of its own. */
  readonly env?: readonly string[]
  /** The hook's process must not have more capabilities than the container's. */
  readonly credentials?: CredentialsPlan
}

const NO_CAPABILITIES = { effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n }

type HookOutput = Pick<Op<'runHook'>, 'stdoutPath' | 'stderrPath' | 'stdoutSlot' | 'stderrSlot'>

/**
 * Where what hooks print goes, if not into the messages of tsrunc: annotations of crun. A hook that init runs cannot reach
 * a file of the host; the host side opens it before.
 *
 * Errors: ANNOTATION.
 */
function hookOutput(builder: PlanBuilder, list: readonly Op[]): HookOutput {
  const stdout = pathAnnotation(builder.spec, ANNOTATIONS.hooksStdout)
  const stderr = pathAnnotation(builder.spec, ANNOTATIONS.hooksStderr)
  const byInit = list === builder.init || list === builder.initStart
  const slotOf = (file: typeof stdout): number =>
    file === undefined || !byInit ? NO_SLOT : builder.openHookOutput(file.path, file.pointer)
  return {
    stdoutPath: stdout?.path ?? '',
    stderrPath: stderr?.path ?? '',
    stdoutSlot: slotOf(stdout),
    stderrSlot: slotOf(stderr),
  }
}

function hookOp(
  name: keyof Hooks,
  hook: Hook,
  index: number,
  { env = [], credentials }: HookSetting,
  output: HookOutput,
): Op {
  return {
    kind: 'runHook',
    pointer: `/hooks/${name}/${index}`,
    what: `${name} hook ${quote(hook.path)}`,
    name,
    path: hook.path,
    args: hook.args === undefined || hook.args.length === 0 ? [hook.path] : hook.args,
    env: hook.env ?? env,
    timeout: hook.timeout ?? 0,
    status: STATUS[name],
    fatal: name !== 'poststop',
    dropCapabilities: credentials?.keepsAdmin ?? false,
    ...(credentials?.capabilities ?? NO_CAPABILITIES),
    ...output,
  }
}

/** config.md "POSIX-platform Hooks": in the listed order. Errors: ANNOTATION. */
export function planHooks(builder: PlanBuilder, list: Op[], name: keyof Hooks, setting: HookSetting = {}): void {
  const hooks = builder.spec.hooks?.[name] ?? []
  if (hooks.length === 0) return
  const output = hookOutput(builder, list)
  hooks.forEach((hook, index) => {
    list.push(hookOp(name, hook, index, setting, output))
  })
}
