/**
 * What tsrunc and its planner say to each other: native/launcher/planner_wire.h has the whole story and is the other
 * half. Nothing that comes in is believed: lengths are bounded before anything is kept.
 */
import { isUtf8 } from 'node:buffer'
import { parseRecord } from '../host/caller'
import type { Caller } from '../host/facts'
import type { SavedBytes } from '../host/view'
import type { Repeatable } from './free-words'

const MAGIC = Buffer.from('tsrunc-planner4\0', 'latin1')
const MAGIC_SIZE = 16
const IDENTITY_SIZE = 32
const SECTIONS = 9
/** Of the header: what is the same for all callers of an installation. */
export const SIZES_AT = MAGIC_SIZE + 2 * IDENTITY_SIZE
export const REQUEST_HEADER = SIZES_AT + 4 * SECTIONS + 4
export const ANSWERS_HEADER = 24
const REPLY_HEADER = 40
const REPLY_PARTS = 4

/** Of one request. A configuration and a saved plan may have 16 MiB (host/view.ts), a command line and its environment 6 MiB. */
export const MOST_REQUEST_BYTES = 24 << 20
export const MOST_ANSWER_BYTES = 4 << 20

/** What a caller sends that is no caller of this build, or none at all. */
export class ProtocolError extends Error {}

/** A file as it lies on disk (struct FileIdentity), as four numbers in hexadecimal. */
export type Identity = string

export interface RequestHeader {
  readonly executable: Identity
  readonly bundle: Identity
  readonly sizes: readonly number[]
  /** Bytes that follow the header. */
  readonly length: number
}

/** What a question begins with; the rest is a path. */
export const QUESTION = { directory: 'd', namespace: 'n', limit: 'l' } as const

/** The caller's answers by question, as in "d/srv/rootfs", "n/proc/7/ns/net" and "l/sys/fs/cgroup/x/memory.max". */
export type Answers = ReadonlyMap<string, string>

export interface Request {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly caller: Caller
  /** The bundle's path without symlinks, of a caller that makes a container. */
  readonly bundle: string | undefined
  /** Of a container; for exec, of --process; for update, of --resources, also where that is the standard input. */
  readonly config: Uint8Array
  readonly answers: Answers
  /** Of a caller whose container is there. */
  readonly saved: SavedBytes | undefined
}

function checkMagic(bytes: Buffer): void {
  if (bytes.compare(MAGIC, 0, MAGIC_SIZE, 0, MAGIC_SIZE) !== 0) throw new ProtocolError('not a request of tsrunc')
}

function bounded(length: number, most: number): number {
  if (length > most) throw new ProtocolError(`a request of ${length} bytes`)
  return length
}

/** What was made of bytes that come again and again: callers are of one installation, and mostly of one environment. */
class Repeated<T> {
  readonly #make: (bytes: Buffer) => T
  #last: { readonly bytes: Buffer; readonly value: T } | undefined

  constructor(make: (bytes: Buffer) => T) {
    this.#make = make
  }

  of(bytes: Buffer): T {
    if (this.#last?.bytes.equals(bytes) === true) return this.#last.value
    const value = this.#make(bytes)
    this.#last = { bytes: Buffer.from(bytes), value }
    return value
  }
}

const identity = (bytes: Buffer): Identity => bytes.toString('hex')
const repeatedExecutable = new Repeated(identity)
const repeatedBundle = new Repeated(identity)

/** @param bytes REQUEST_HEADER of them. Errors: ProtocolError. */
export function readRequestHeader(bytes: Buffer): RequestHeader {
  checkMagic(bytes)
  const sizes: number[] = []
  let length = 0
  for (let i = 0; i < SECTIONS; i++) {
    const size = bytes.readUInt32LE(SIZES_AT + 4 * i)
    sizes.push(size)
    length += size
  }
  const bundleAt = MAGIC_SIZE + IDENTITY_SIZE
  return {
    executable: repeatedExecutable.of(bytes.subarray(MAGIC_SIZE, bundleAt)),
    bundle: repeatedBundle.of(bytes.subarray(bundleAt, bundleAt + IDENTITY_SIZE)),
    sizes,
    length: bounded(length, MOST_REQUEST_BYTES),
  }
}

/** @param bytes ANSWERS_HEADER of them. Errors: ProtocolError. */
export function readAnswersHeader(bytes: Buffer): { readonly length: number } {
  checkMagic(bytes)
  return { length: bounded(bytes.readUInt32LE(MAGIC_SIZE), MOST_ANSWER_BYTES) }
}

/** What node itself would make of bytes that are not UTF-8 is node's business: such a call is for it. */
function text(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new ProtocolError('not UTF-8')
  return bytes.toString('utf8')
}

function words(bytes: Buffer): readonly string[] {
  if (bytes.length === 0) return []
  if (bytes[bytes.length - 1] !== 0) throw new ProtocolError('a word without an end')
  return text(bytes.subarray(0, -1)).split('\0')
}

function oneWord(bytes: Buffer): string {
  const [word, ...others] = words(bytes)
  if (word === undefined || others.length > 0 || !word.startsWith('/')) throw new ProtocolError('not a path')
  return word
}

export function readAnswers(bytes: Buffer): Answers {
  const list = words(bytes)
  if (list.length % 2 !== 0) throw new ProtocolError('a question without an answer')
  return new Map(list.flatMap((word, i) => (i % 2 === 0 ? [[word, list[i + 1] ?? ''] as const] : [])))
}

/** The first of two variables of a name is the one that counts (getenv(3)). */
function environment(entries: readonly string[]): Record<string, string | undefined> {
  const out: Record<string, string | undefined> = Object.create(null)
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    const name = entry.slice(0, equals)
    if (equals > 0 && out[name] === undefined) out[name] = entry.slice(equals + 1)
  }
  return out
}

const repeatedEnvironment = new Repeated((bytes) => environment(words(bytes)))

/** The parts of a request, in their order (native/launcher/planner_wire.h). */
export const SECTION = {
  argv: 0,
  cwd: 1,
  environment: 2,
  caller: 3,
  bundle: 4,
  config: 5,
  answers: 6,
  plan: 7,
  state: 8,
} as const

export function sectionsOf({ sizes }: RequestHeader, bytes: Buffer): readonly Buffer[] {
  let at = 0
  return sizes.map((size) => {
    at += size
    return bytes.subarray(at - size, at)
  })
}

/** @param bytes header.length of them. Errors: ProtocolError, TsruncError HANDOFF. */
export function readRequest(header: RequestHeader, bytes: Buffer): Request {
  const sections = sectionsOf(header, bytes)
  const section = (name: keyof typeof SECTION): Buffer => sections[SECTION[name]] ?? Buffer.alloc(0)
  return {
    argv: words(section('argv')),
    cwd: oneWord(section('cwd')),
    environment: repeatedEnvironment.of(section('environment')),
    caller: parseRecord(section('caller').toString('latin1')),
    bundle: section('bundle').length === 0 ? undefined : oneWord(section('bundle')),
    config: section('config'),
    answers: readAnswers(section('answers')),
    saved: section('plan').length === 0 ? undefined : { plan: section('plan'), state: section('state') },
  }
}

/** What encodeRequest writes. */
export interface RequestParts {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly environment: readonly string[]
  /** What native/launcher/handoff.cc says of the caller. */
  readonly record: string
  readonly bundle: string
  readonly config: Uint8Array
  readonly answers: readonly string[]
}

/** As native/launcher/planner_request.cc composes it, of a caller that makes a container. */
export function encodeRequest(of: Pick<RequestHeader, 'executable' | 'bundle'>, parts: RequestParts): Buffer {
  const wordsOf = (list: readonly string[]): Buffer => Buffer.from(list.map((word) => `${word}\0`).join(''))
  const { argv, cwd, environment: variables, record, bundle, config, answers } = parts
  const bytes = [
    ...[wordsOf(argv), wordsOf([cwd]), wordsOf(variables), Buffer.from(record), wordsOf([bundle]), config],
    ...[wordsOf(answers), Buffer.alloc(0), Buffer.alloc(0)],
  ]
  const header = Buffer.alloc(REQUEST_HEADER)
  MAGIC.copy(header)
  header.write(of.executable, MAGIC_SIZE, 'hex')
  header.write(of.bundle, MAGIC_SIZE + IDENTITY_SIZE, 'hex')
  bytes.forEach((section, i) => {
    header.writeUInt32LE(section.length, SIZES_AT + 4 * i)
  })
  return Buffer.concat([header, ...bytes])
}

export type Reply =
  | {
      readonly kind: 'plan'
      readonly stderr: string
      readonly logFile: string
      readonly log: string
      readonly plan: Uint8Array
      /** Of one that another caller may get as well. Not sent. */
      readonly repeats?: Repeatable | undefined
    }
  | { readonly kind: 'ask'; readonly questions: readonly string[] }
  | { readonly kind: 'cold' }
  | { readonly kind: 'stale' }

const KINDS = { plan: 1, cold: 2, ask: 3, stale: 4 } as const

function parts(reply: Reply): readonly Uint8Array[] {
  if (reply.kind === 'plan') return [...[reply.stderr, reply.logFile, reply.log].map((t) => Buffer.from(t)), reply.plan]
  const body = reply.kind === 'ask' ? reply.questions.map((question) => `${question}\0`).join('') : ''
  return [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0), Buffer.from(body)]
}

export function encodeReply(reply: Reply): Buffer {
  const header = Buffer.alloc(REPLY_HEADER)
  const all = parts(reply)
  MAGIC.copy(header)
  header.writeUInt32LE(KINDS[reply.kind], MAGIC_SIZE)
  for (let i = 0; i < REPLY_PARTS; i++) header.writeUInt32LE(all[i]?.length ?? 0, MAGIC_SIZE + 4 + 4 * i)
  return Buffer.concat([header, ...all])
}
