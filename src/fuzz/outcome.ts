/** What becomes of a config.json, and what has to be true of it whatever stood in it. */
import { expect } from 'vitest'
import { TsruncError } from '../errors'
import type { HostFacts, PlanOptions } from '../host/facts'
import { FACTS_USER, FACTS_V1, FACTS_V2, resolve } from '../plan/fixtures'
import { ACTION, encodePlan } from '../plan/wire'
import { inspectSpec, loadSpec } from '../spec/load'

const LAUNCH = {
  action: ACTION.create,
  detach: true,
  keep: true,
  subreaper: false,
  log: '',
  logJson: false,
  debug: false,
}

/** A host, and how its cgroups are made. */
export interface Host {
  readonly facts: HostFacts
  readonly options: Partial<PlanOptions>
}

export const HOSTS: readonly Host[] = [
  { facts: FACTS_V1, options: {} },
  { facts: FACTS_V2, options: {} },
  { facts: FACTS_USER, options: {} },
  { facts: { ...FACTS_V2, systemd: { instance: 'system', root: '' } }, options: { cgroupManager: 'systemd' } },
]

export type Outcome = { readonly plan: Uint8Array } | { readonly error: TsruncError }

/** The plan's bytes, or the error. Anything thrown that is no TsruncError goes on. */
export function outcome(bytes: Uint8Array, { facts, options }: Host): Outcome {
  try {
    const { spec } = loadSpec(bytes, { path: 'config.json' })
    const terminal = spec.process?.terminal === true ? { consoleSocket: '/run/console.sock' } : {}
    return { plan: encodePlan(resolve(spec, { ...options, ...terminal }, facts).plan, LAUNCH) }
  } catch (error) {
    if (error instanceof TsruncError) return { error }
    throw error
  }
}

/** Sentences are for people, and a pointer says where. Only what is no JSON, or no object, has no place but the whole. */
export function expectClear({ code, pointer, message }: TsruncError): void {
  const whole = code === 'CONFIG_SYNTAX' || message.includes('config.json: must be an object')
  if (!whole) expect(pointer, message).toMatch(/^\//)
  expect(message.length, message).toBeLessThan(1500)
}

/** create and validate find the same first fault. */
export function expectAgreement(bytes: Uint8Array): void {
  const { faults } = inspectSpec(bytes)
  const first = faults.find(({ severity }) => severity === 'error')
  let thrown: unknown
  try {
    loadSpec(bytes, { path: 'config.json' })
  } catch (error) {
    thrown = error
  }
  expect(thrown instanceof TsruncError ? thrown.pointer : undefined).toBe(first?.pointer)
}

/**
 * A bound of work that no clock measures: a plan is not longer than a multiple of what asks for it. Masked paths and devices
 * take some hundred bytes for each of the text's ten; seccomp's program is made elsewhere.
 */
export function expectBounded(plan: Uint8Array, text: Uint8Array): void {
  expect(plan.length).toBeLessThan(65_536 + 100 * text.length)
}

const OBJECT_NAMES = Object.getOwnPropertyNames(Object.prototype).sort()

/** Nothing that was read has become a property of every object. */
export function expectUnpolluted(): void {
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(OBJECT_NAMES)
  expect(Object.keys({})).toEqual([])
}
