import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TsruncError } from '../errors'
import { NO_MEMORY } from '../host/memory'
import type { SavedBytes } from '../host/view'
import { binding } from '../native/binding'
import { PlanBytesError } from '../plan/byte-reader'
import { BASE, resolve } from '../plan/fixtures'
import { decodeHeader } from '../plan/saved-header'
import { decodeUnit } from '../plan/saved-unit'
import { ACTION, encodePlan } from '../plan/wire'
import { readSaved } from './saved'

const LAUNCH = { action: ACTION.create, detach: true, keep: true, subreaper: false }
const LOG = { log: '', logJson: false, debug: false }

const { plan } = resolve(BASE, { config: Buffer.from(JSON.stringify(BASE)) })
const BYTES = encodePlan(plan, { ...LAUNCH, ...LOG })
/** As native/engine/state_files.cc writes it. */
function withSum(plan: Uint8Array): Buffer {
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(binding().checksum(plan))
  return Buffer.concat([plan, sum])
}

/** As native/engine/saved_state.cc writes it. */
function state(pid: number): string {
  const lines = `tsrunc-state 2\npid ${pid}\nstart 18446744073709551615\ncreated 2026-01-02T03:04:05.000000006Z\n`
  const copy = `${lines}owner 0\nowner-start 0\njournal 12\nsum `
  return `${copy}${binding().checksum(Buffer.from(copy)).toString(16).padStart(8, '0')}\n`.repeat(2)
}

const PLAN = withSum(BYTES)
const STATE = state(4711)

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'saved-'))
  mkdirSync(join(root, 'c1'))
  writeFileSync(join(root, 'c1', 'plan'), PLAN)
  writeFileSync(join(root, 'c1', 'state'), STATE)
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

const coded = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

/** The code of the error that readSaved throws. */
function refusalOf(saved: SavedBytes): string | undefined {
  try {
    readSaved(root, 'c1', { saved, memory: NO_MEMORY })
    return undefined
  } catch (error) {
    return error instanceof TsruncError ? error.code : undefined
  }
}

describe('readSaved', () => {
  it('reads what create saved', () => {
    const saved = readSaved(root, 'c1')
    expect(saved).toMatchObject({ id: 'c1', stateDir: join(root, 'c1'), bundle: '/bundle', rootfs: '/bundle/rootfs' })
    expect(saved.spec).toEqual(BASE)
    expect(saved.process).toEqual({ pid: 4711, startTime: 2n ** 64n - 1n })
    expect(saved.created).toBe('2026-01-02T03:04:05.000000006Z')
    expect(saved.header.cgroupPaths).toEqual(plan.header.cgroupPaths)
  })

  it('says that there is no such container', () => {
    expect(() => readSaved(root, 'c2')).toThrow(coded('NO_CONTAINER', /^container "c2" does not exist$/))
    expect(() => readSaved(root, '../c1')).toThrow(coded('INVALID_ID', /invalid container ID/))
  })

  it.each([
    ['plan', PLAN.subarray(0, 40), /the saved plan \(the file "plan"\) is damaged: the checksum of its 40 bytes/],
    ['plan', new Uint8Array(0), /the saved plan \(the file "plan"\) is damaged: it has 0 bytes/],
    ['plan', withSum(BYTES.subarray(0, 40)), /the saved plan is not as long as it says/],
    ['state', state(0), /the saved state \(the file "state"\) is damaged: its checksum is wrong/],
    ['state', '', /the saved state \(the file "state"\) is damaged/],
  ])('says that %s is damaged', (name, content, message) => {
    writeFileSync(join(root, 'c1', name), content)
    expect(() => readSaved(root, 'c1')).toThrow(coded('CONTAINER_DAMAGED', message))
  })

  it.each(['plan', 'state'] as const)('notices a flipped bit in each byte of %s, and each shorter file', (name) => {
    const whole = { plan: PLAN, state: Buffer.from(STATE) }
    const bytes = whole[name]
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at)
      for (const content of [flipped, bytes.subarray(0, at)]) {
        expect(refusalOf({ ...whole, [name]: content })).toBe('CONTAINER_DAMAGED')
      }
    }
  })

  it.each(['plan', 'state'])('says that a create without %s was interrupted', (name) => {
    rmSync(join(root, 'c1', name))
    expect(() => readSaved(root, 'c1')).toThrow(coded('CONTAINER_DAMAGED', /it was not created completely/))
  })

  it('says that the configuration is damaged', () => {
    const bad = resolve(BASE, { config: Buffer.from('{') })
    writeFileSync(join(root, 'c1', 'plan'), withSum(encodePlan(bad.plan, { ...LAUNCH, ...LOG })))
    expect(() => readSaved(root, 'c1')).toThrow(coded('CONTAINER_DAMAGED', /the saved config.json is damaged/))
  })
})

describe('decodeHeader', () => {
  it('gives back every field', () => {
    expect(decodeHeader(BYTES)).toEqual(plan.header)
  })

  it('refuses every cut', () => {
    const end = Buffer.from(BYTES).indexOf(plan.header.config) + plan.header.config.length
    for (let length = 0; length < end; length += 1) {
      const cut = Buffer.from(BYTES.subarray(0, length))
      // With a length that fits, so that it is the fields that are cut.
      if (length >= 12) cut.writeUInt32LE(length, 8)
      expect(() => decodeHeader(cut)).toThrow(PlanBytesError)
    }
  })

  it('ends for every flipped byte', () => {
    for (let at = 0; at < 600; at += 1) {
      const flipped = Buffer.from(BYTES)
      flipped[at] = (flipped[at] ?? 0) ^ 0xff
      try {
        decodeHeader(flipped)
      } catch (error) {
        expect(error).toBeInstanceOf(PlanBytesError)
      }
    }
  })
})

describe('decodeUnit', () => {
  const UNIT = { bus: '/bus', peer: '/peer', seconds: 5, unit: 'a.scope', object: '/o', mark: 'file:/m' }
  const withUnit = (): Uint8Array => {
    const stop = { kind: 'stopUnit', pointer: '/p', what: 'w', ...UNIT } as const
    return encodePlan({ ...plan, delete: [...plan.delete, stop] }, { ...LAUNCH, ...LOG })
  }

  it('finds it in what delete does', () => {
    expect(decodeUnit(withUnit())).toEqual(UNIT)
  })

  it('is undefined where there is none', () => {
    expect(decodeUnit(BYTES)).toBeUndefined()
  })

  it('refuses what is cut', () => {
    const bytes = Buffer.from(withUnit())
    for (let length = bytes.length - 80; length < bytes.length; length += 1) {
      const cut = Buffer.from(bytes.subarray(0, length))
      cut.writeUInt32LE(length, 8)
      expect(() => decodeUnit(cut)).toThrow(PlanBytesError)
    }
  })
})
