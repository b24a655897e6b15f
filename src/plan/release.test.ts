import { describe, expect, it } from 'vitest'
import { BASE, FACTS_V1, resolve, resolveOneMore, USER_NAMESPACE, withProcess } from './fixtures'
import type { Op } from './ops'

const MAPPED = 1

const isFirst = (op: Op): boolean => 'step' in op && op.step === MAPPED

/** Whether init waits for a word of the host side before it does anything, and whether it gets one. */
function steps({ plan: { create, init } }: ReturnType<typeof resolve>): readonly [boolean, boolean] {
  return [init[0] !== undefined && isFirst(init[0]), create.some(isFirst)]
}

describe('init', () => {
  it('begins at once where the host side has nothing to do for it', () => {
    expect(steps(resolve(BASE))).toEqual([false, false])
    expect(steps(resolve(BASE, {}, FACTS_V1))).toEqual([false, false])
  })

  it.each([
    ['its IDs are mapped', USER_NAMESPACE],
    ['its score for the OOM killer is set', withProcess({ oomScoreAdj: 100 })],
  ])('waits until %s', (_, spec) => {
    expect(steps(resolve(spec))).toEqual([true, true])
  })
})

describe('a process that is added', () => {
  const file = { cwd: '/', args: ['sh'] }

  it('begins at once where the host side has nothing to do for it', () => {
    expect(steps(resolveOneMore({ file }, BASE))).toEqual([false, false])
  })

  it('waits until its score for the OOM killer is set', () => {
    expect(steps(resolveOneMore({ file: { ...file, oomScoreAdj: 100 } }, BASE))).toEqual([true, true])
  })
})
