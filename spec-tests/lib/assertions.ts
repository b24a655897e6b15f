import { ok } from 'node:assert/strict'

/** @throws AssertionError unless the list has the item */
export const includes = <T>(list: readonly T[], item: T): void =>
  ok(list.includes(item), `${JSON.stringify(list)} lacks ${JSON.stringify(item)}`)

/** @throws AssertionError when the list has the item */
export const doesNotInclude = <T>(list: readonly T[], item: T): void =>
  ok(!list.includes(item), `${JSON.stringify(list)} has ${JSON.stringify(item)}`)
