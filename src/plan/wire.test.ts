import { describe, expect, it } from 'vitest'
import type { Op } from './ops'
import { PLAN_VERSION, type Plan } from './plan'
import { ACTION, encodePlan, PLAN_MAGIC } from './wire'

const LAUNCH = {
  action: ACTION.run,
  detach: false,
  keep: false,
  subreaper: true,
  log: '',
  logJson: false,
  debug: false,
}

function planOf(create: readonly Op[], config: Uint8Array): Plan {
  const header = {
    id: 'x',
    stateDir: '/run/x',
    bundle: '/b',
    ociVersionJson: '"1.3.0"',
    idJson: '"x"',
    bundleJson: '"/b"',
    rootfsJson: '"/b/rootfs"',
    annotationsJson: '{}',
    stopSignal: 15,
    frozenFile: '',
    frozenText: '',
    cgroupPaths: [],
    hasProcess: true,
    ownPidNamespace: true,
    terminal: false,
    ownKeyring: true,
    preserveFds: 0,
    config,
  }
  return { version: PLAN_VERSION, header, create, init: [], initStart: [], start: [], delete: [] }
}

const WHAT = { pointer: '', what: '' }

/** The end of a plan, an operation and empty lists, is the same wherever it comes to stand. */
function check(op: Op, size: number): void {
  const empty = encodePlan(planOf([op], new Uint8Array(0)), LAUNCH)
  const bytes = encodePlan(planOf([op], new Uint8Array(size)), LAUNCH)
  expect(bytes.length).toBe(empty.length + size)
  expect(Buffer.compare(bytes.subarray(-64), empty.subarray(-64))).toBe(0)
}

describe('encodePlan', () => {
  it('begins with magic, version and length', () => {
    const bytes = encodePlan(planOf([], new Uint8Array(0)), LAUNCH)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    expect([0, 4, 8].map((at) => view.getUint32(at, true))).toEqual([PLAN_MAGIC, PLAN_VERSION, bytes.length])
  })

  it('grows by any kind of field, at any position', () => {
    const small: readonly Op[] = [
      { kind: 'setOomScoreAdj', ...WHAT, value: -1n },
      { kind: 'raiseRlimit', ...WHAT, resource: 7, hard: 2n ** 64n - 1n },
    ]
    const large: readonly Op[] = [
      { kind: 'setSeccomp', ...WHAT, flags: 1n, program: new Uint8Array(40_000).fill(7) },
      { kind: 'writeCgroupFile', ...WHAT, file: 'ä'.repeat(40_000), value: '€\u{1f600}', ifAny: true },
    ]
    // Each size puts another part of the operation across the end of the writer's first 32 KiB.
    const sizes = Array.from({ length: 400 }, (_, i) => 32_768 - 400 + i)
    for (const op of small) for (const size of sizes) check(op, size)
    for (const op of large) for (const size of [0, 1000, 32_700]) check(op, size)
  })

  it('refuses numbers that do not fit', () => {
    const encode = (op: Op) => () => encodePlan(planOf([op], new Uint8Array(0)), LAUNCH)
    expect(encode({ kind: 'raiseRlimit', ...WHAT, resource: -1, hard: 0n })).toThrow(RangeError)
    expect(encode({ kind: 'raiseRlimit', ...WHAT, resource: 1.5, hard: 0n })).toThrow(RangeError)
    expect(encode({ kind: 'raiseRlimit', ...WHAT, resource: 2 ** 32, hard: 0n })).toThrow(RangeError)
    expect(encode({ kind: 'raiseRlimit', ...WHAT, resource: 1, hard: 2n ** 64n })).toThrow(RangeError)
    expect(encode({ kind: 'setOomScoreAdj', ...WHAT, value: 2n ** 63n })).toThrow(RangeError)
  })
})
