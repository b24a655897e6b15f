import { quote } from '../errors'
import type { Hook, Hooks } from '../spec/types'
import type { PlanBuilder } from './builder'
import type { CredentialsPlan } from './credentials'
import type { Op } from './ops'

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

function hookOp(name: keyof Hooks, hook: Hook, index: number, { env = [], credentials }: HookSetting): Op {
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
  }
}

/** config.md "POSIX-platform Hooks": in the listed order. */
export function planHooks({ spec }: PlanBuilder, list: Op[], name: keyof Hooks, setting: HookSetting = {}): void {
  spec.hooks?.[name]?.forEach((hook, index) => {
    list.push(hookOp(name, hook, index, setting))
  })
}
