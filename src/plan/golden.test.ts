import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolve, resolveOneMore } from './fixtures'
import { GOLDEN_CASES } from './golden-cases'
import { planToJson } from './print'
import { ACTION, encodePlan, PLAN_MAGIC } from './wire'

const DIRECTORY = join(__dirname, 'golden')
const LAUNCH = {
  action: ACTION.create,
  detach: true,
  keep: true,
  subreaper: false,
  log: '',
  logJson: false,
  debug: false,
}

/** What the planner remembers (planner/memory.ts) is planned with again: a plan changes nothing of it. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const one of Object.values(Object.freeze(value))) freeze(one)
  }
  return value
}

describe('golden plans (UPDATE_GOLDEN=1 writes them anew)', () => {
  test.each(Object.entries(GOLDEN_CASES))('%s', (name, { spec, options, facts, exec, warnings: expected = [] }) => {
    const { plan, warnings } =
      exec === undefined
        ? resolve(freeze(spec), options, freeze(facts))
        : resolveOneMore(exec, freeze(spec), options, freeze(facts))
    const text = planToJson(plan)
    const file = join(DIRECTORY, `${name}.json`)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text)
    expect(text).toBe(readFileSync(file, 'utf8'))
    expect(warnings).toEqual(expected)
    const bytes = encodePlan(plan, LAUNCH)
    expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)).toBe(PLAN_MAGIC)
    expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)).toBe(bytes.length)
  })

  test('every file has its case', () => {
    expect(readdirSync(DIRECTORY).sort()).toEqual(
      Object.keys(GOLDEN_CASES)
        .map((name) => `${name}.json`)
        .sort(),
    )
  })
})
