/** What a planner is sent, and what create saved of a container: whole, and damaged. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSaved } from '../container/saved'
import { TsruncError } from '../errors'
import { NO_MEMORY } from '../host/memory'
import type { SavedBytes } from '../host/view'
import { binding } from '../native/binding'
import { BASE, resolve } from '../plan/fixtures'
import { ACTION, encodePlan } from '../plan/wire'
import { planRequest } from '../planner/plan-request'
import {
  ANSWERS_HEADER,
  encodeReply,
  MOST_REQUEST_BYTES,
  ProtocolError,
  REQUEST_HEADER,
  type Reply,
  type Request,
  readAnswers,
  readAnswersHeader,
  readRequest,
  readRequestHeader,
} from '../planner/protocol'
import { damaged, damages } from './damage'
import { holds } from './holds'

const SECTIONS = 9
const RECORD = 'tsrunc-handoff 1\npid 4711\nnofile 1024 4096\nmask 0\nignored 0\nfd 0 0 0\nfd 2 1 0\n'

const sent = (saved: SavedBytes) => ({ saved, memory: NO_MEMORY })

/** native/launcher/planner_wire.h. */
function requestOf(sections: readonly (string | Uint8Array)[]): Buffer {
  const bytes = Array.from({ length: SECTIONS }, (_, index) => Buffer.from(sections[index] ?? ''))
  const header = Buffer.alloc(REQUEST_HEADER)
  header.write('tsrunc-planner4\0', 'latin1')
  bytes.forEach((section, index) => {
    header.writeUInt32LE(section.length, 80 + 4 * index)
  })
  return Buffer.concat([header, ...bytes])
}
const wordsOf = (list: readonly string[]): string => list.map((word) => `${word}\0`).join('')

/** What is read, or undefined where it is no request. An error of any other kind goes on. */
function read(bytes: Buffer): Request | undefined {
  try {
    if (bytes.length < REQUEST_HEADER) return undefined
    const header = readRequestHeader(bytes)
    expect(header.length).toBeLessThanOrEqual(MOST_REQUEST_BYTES)
    if (bytes.length < REQUEST_HEADER + header.length) return undefined
    return readRequest(header, bytes.subarray(REQUEST_HEADER, REQUEST_HEADER + header.length))
  } catch (error) {
    if (error instanceof ProtocolError || (error instanceof TsruncError && error.code === 'HANDOFF')) return undefined
    throw error
  }
}

const word = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !text.includes('\0'))
const CONFIG = Buffer.from(JSON.stringify(BASE))

describe('a request to the planner', () => {
  const whole = fc.record({
    argv: fc.array(word, { minLength: 1, maxLength: 5 }),
    cwd: word.map((text) => `/${text}`),
    environment: fc.dictionary(fc.oneof(fc.constantFrom('__proto__', 'PATH'), word), word, { maxKeys: 4 }),
    answers: fc.array(fc.tuple(word, word), { maxLength: 4 }),
    config: fc.uint8Array({ maxLength: 30 }),
  })

  test('is read as what was written', () => {
    holds(1500, whole, ({ argv, cwd, environment, answers, config }) => {
      const entries = Object.entries(environment).filter(([name]) => name !== '' && !name.includes('='))
      const text = wordsOf(entries.map(([name, value]) => `${name}=${value}`))
      const request = read(
        requestOf([wordsOf(argv), wordsOf([cwd]), text, RECORD, '', config, wordsOf(answers.flat())]),
      )
      expect(request).toMatchObject({
        argv,
        cwd,
        caller: { fds: [0, 2], pid: 4711 },
        bundle: undefined,
        saved: undefined,
      })
      expect(Object.entries(request?.environment ?? {})).toEqual(entries.map(([name, value]) => [name, value]))
      expect(Buffer.compare(request?.config ?? Buffer.alloc(0), config)).toBe(0)
      expect([...(request?.answers ?? [])]).toEqual([...new Map(answers)])
    })
  })

  const argv = ['tsrunc', '--root', '/nonexistent/fuzz', 'create', '--bundle', '/b', 'c1']
  const create = requestOf([wordsOf(argv.slice(1)), wordsOf(['/']), wordsOf(['A=1']), RECORD, '/b\0', CONFIG])
  test('of which bytes are damaged is one, or an error that is caught', () => {
    holds(4000, damages, (changes) => {
      read(Buffer.from(damaged(create, changes)))
    })
  })

  test('that is one is answered, whatever stands in it', async () => {
    // Planning is asynchronous: the sample is drawn first.
    const requests: Request[] = []
    holds(300, fc.tuple(damages, damages), ([command, config]) => {
      const changed = requestOf([
        damaged(Buffer.from(wordsOf(argv.slice(1))), command),
        wordsOf(['/']),
        '',
        RECORD,
        '/b\0',
        damaged(CONFIG, config),
      ])
      const request = read(changed)
      if (request !== undefined && requests.length < 300) requests.push(request)
    })
    expect(requests.length).toBeGreaterThan(50)
    for (const request of requests) {
      const reply = await planRequest(request, process.pid, request.answers, {
        memory: NO_MEMORY,
        compilerOf: () => () => new Uint8Array(8),
      })
      expect(['plan', 'cold', 'ask']).toContain(reply.kind)
      expect(encodeReply(reply).length).toBeGreaterThanOrEqual(40)
    }
  })

  test('and its answers are bounded', () => {
    holds(
      2000,
      fc.tuple(fc.uint8Array({ minLength: ANSWERS_HEADER, maxLength: 60 }), fc.boolean()),
      ([bytes, magic]) => {
        const all = Buffer.from(bytes)
        if (magic) all.write('tsrunc-planner4\0', 'latin1')
        try {
          expect(readAnswersHeader(all).length).toBeLessThanOrEqual(4 << 20)
          readAnswers(all.subarray(ANSWERS_HEADER))
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      },
    )
  })
})

describe('what create saved', () => {
  const argv = ['tsrunc', '--root', '/run/tsrunc', 'update', '--resources', '-', 'c1']
  const resources = Buffer.from(JSON.stringify({ pids: { limit: 9 }, memory: { limit: 1 << 26 }, cpu: { shares: 99 } }))
  const launch = {
    action: ACTION.create,
    detach: true,
    keep: true,
    subreaper: false,
    log: '',
    logJson: false,
    debug: false,
  }
  const plan = encodePlan(resolve(BASE, { config: CONFIG }).plan, launch)
  /** native/engine/state_files.cc: with the checksum behind it. */
  const withSum = (bytes: Uint8Array): Buffer => {
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(binding().checksum(bytes))
    return Buffer.concat([bytes, sum])
  }
  /** native/engine/saved_state.cc: two copies with a checksum each. */
  const twice = (lines: Uint8Array): Buffer => {
    const summed = Buffer.concat([lines, Buffer.from('sum ')])
    const sum = binding().checksum(summed).toString(16).padStart(8, '0')
    const copy = Buffer.concat([summed, Buffer.from(`${sum}\n`)])
    return Buffer.concat([copy, copy])
  }
  const linesOf = (pid: number | bigint, start: bigint): Buffer =>
    Buffer.from(
      `tsrunc-state 2\npid ${pid}\nstart ${start}\ncreated 2026-07-04T01:02:03Z\nowner 0\nowner-start 0\njournal 12\n`,
    )
  const lines = linesOf(4711, 123456n)

  test('is read as it was saved', () => {
    expect(readSaved('/run/tsrunc', 'c1', sent({ plan: withSum(plan), state: twice(lines) }))).toMatchObject({
      id: 'c1',
      process: { pid: 4711, startTime: 123456n },
      created: '2026-07-04T01:02:03Z',
    })
  })

  test('with numbers that no process has is damaged, as it is to the engine', () => {
    const numbers = fc.tuple(fc.bigInt(0n, 2n ** 33n), fc.bigInt(0n, 2n ** 65n))
    holds(1000, numbers, ([pid, start]) => {
      const bytes = { plan: withSum(plan), state: twice(linesOf(pid, start)) }
      const isOne = pid > 0n && pid < 2n ** 31n && start < 2n ** 64n
      const reading = () => readSaved('/run/tsrunc', 'c1', sent(bytes))
      if (isOne) expect(reading().process).toEqual({ pid: Number(pid), startTime: start })
      else expect(reading).toThrow(/is damaged/)
    })
  })

  test('goes with the request of an update, which is answered, whatever stands in it', async () => {
    const replies: Promise<Reply>[] = []
    holds(200, fc.tuple(damages, damages, damages), ([limits, first, second]) => {
      const request = read(
        requestOf([
          ...[wordsOf(argv.slice(1)), wordsOf(['/']), '', RECORD, '', damaged(resources, limits), ''],
          ...[withSum(damaged(plan, first)), twice(damaged(lines, second))],
        ]),
      )
      if (request === undefined) return
      const kept = { memory: NO_MEMORY, compilerOf: () => () => new Uint8Array(8) }
      replies.push(planRequest(request, process.pid, request.answers, kept))
    })
    const kinds = (await Promise.all(replies)).map(({ kind }) => kind)
    expect(kinds.length).toBeGreaterThan(50)
    for (const kind of kinds) expect(['plan', 'cold', 'ask']).toContain(kind)
  })

  /** Damaged and then summed, as by somebody who means it; or damaged since, which the checksum tells. */
  test('and was damaged is a container, or said to be damaged', () => {
    holds(4000, fc.tuple(damages, damages, fc.nat(2), fc.boolean()), ([one, other, which, since]) => {
      const [first, second] = [which === 1 ? [] : one, which === 0 ? [] : other]
      const saved = since
        ? { plan: damaged(withSum(plan), first), state: damaged(twice(lines), second) }
        : { plan: withSum(damaged(plan, first)), state: twice(damaged(lines, second)) }
      try {
        readSaved('/run/tsrunc', 'c1', sent(saved))
        const isSame =
          Buffer.compare(saved.plan, withSum(plan)) === 0 && Buffer.compare(saved.state, twice(lines)) === 0
        expect(!since || isSame).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(TsruncError)
        expect((error as TsruncError).code).toBe('CONTAINER_DAMAGED')
      }
    })
  })
})
