import { verb as create } from './create'
import { verb as exec } from './exec'
import { verb as run } from './run'
import type { Verb } from './verb'

/**
 * Every verb, in the order of the help text. What an engine waits for is at hand; a dynamic import is a file of its own
 * in dist, which is read only when it is needed.
 */
export const VERBS: Readonly<Record<string, () => Verb | Promise<Verb>>> = {
  create: () => create,
  start: async () => (await import('./start')).verb,
  run: () => run,
  exec: () => exec,
  state: async () => (await import('./state')).verb,
  kill: async () => (await import('./kill')).verb,
  delete: async () => (await import('./delete')).verb,
  pause: async () => (await import('./pause')).verb,
  resume: async () => (await import('./resume')).verb,
  update: async () => (await import('./update')).verb,
  checkpoint: async () => (await import('./checkpoint')).verb,
  restore: async () => (await import('./restore')).verb,
  ps: async () => (await import('./ps')).verb,
  attach: async () => (await import('./attach')).verb,
  wait: async () => (await import('./wait')).verb,
  resize: async () => (await import('./resize')).verb,
  logs: async () => (await import('./logs')).verb,
  events: async () => (await import('./events')).verb,
  list: async () => (await import('./list')).verb,
  gc: async () => (await import('./gc')).verb,
  spec: async () => (await import('./spec')).verb,
  validate: async () => (await import('./validate')).verb,
  planner: async () => (await import('./planner')).verb,
  features: async () => (await import('./features')).verb,
}

export async function loadVerb(name: string): Promise<Verb | undefined> {
  return Object.hasOwn(VERBS, name) ? VERBS[name]?.() : undefined
}
