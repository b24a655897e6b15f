/**
 * Which plans other callers may get as well. What a plan has of a command line is found by planning for another one: where
 * the two plans differ, and only there, they have what the callers said.
 */
import { isDeepStrictEqual } from 'node:util'
import type { KeptPlan } from '../native/binding'
import { type FreeWord, type Repeatable, turned } from './free-words'
import {
  type Answers,
  encodeReply,
  QUESTION,
  REQUEST_HEADER,
  type Reply,
  type Request,
  readAnswers,
  readRequest,
  readRequestHeader,
  SECTION,
  SIZES_AT,
  sectionsOf,
} from './protocol'

/** Requests that came once. */
const MOST_CANDIDATES = 16
/** Of a request and its reply. */
const MOST_BYTES = 1 << 20

/** What may differ: words that are free are compared each by itself, and of the caller what was looked at. */
const COMPARED_APART: readonly number[] = [SECTION.argv, SECTION.caller, SECTION.answers]

const isNamespace = (question: string): boolean => question.startsWith(QUESTION.namespace)

interface Candidate {
  readonly message: Buffer
  readonly argv: readonly string[]
  readonly sections: readonly Buffer[]
  readonly words: readonly FreeWord[]
  /** Its plan is not to be had by putting in words. */
  isHopeless: boolean
}

export interface Replaced {
  readonly given: string
  readonly other: string
}

/**
 * Where `reply` has the words `given` and `other`, which is equal to it elsewhere, the words `other`; undefined where they
 * differ in anything else.
 */
export function placesOf(
  reply: Buffer,
  other: Buffer,
  words: readonly Replaced[],
): readonly (readonly number[])[] | undefined {
  if (reply.length !== other.length) return undefined
  const turnedReply = Buffer.from(reply)
  const taken = new Uint8Array(reply.length)
  const places: number[][] = words.map(() => [])
  // A path may have an ID within it.
  const longestFirst = words.map((word, i) => ({ ...word, i })).sort((a, b) => b.given.length - a.given.length)
  for (const { given, other: turnedWord, i } of longestFirst) {
    const size = given.length
    for (let at = reply.indexOf(given); at >= 0; at = reply.indexOf(given, at + 1)) {
      if (taken[at] !== 0 || taken[at + size - 1] !== 0) continue
      if (other.toString('latin1', at, at + size) !== turnedWord) continue
      turnedReply.write(turnedWord, at, 'latin1')
      taken.fill(1, at, at + size)
      places[i]?.push(at)
    }
  }
  return turnedReply.equals(other) ? places : undefined
}

/** A namespace that is not the caller's own may be another one (plan-request.ts); one that was not to be seen may not be. */
function areSameAnswers(a: Buffer, b: Buffer): boolean {
  const known = [...readAnswers(a)]
  const given = [...readAnswers(b)]
  return (
    known.length === given.length &&
    known.every(([question, answer], i) => {
      const [other, otherAnswer] = given[i] ?? []
      const bothSeen = answer !== '' && otherAnswer !== ''
      return question === other && (answer === otherAnswer || (isNamespace(question) && bothSeen))
    })
  )
}

const turnedAnswers = (answers: Answers): Answers =>
  new Map([...answers].map(([question, answer]) => [question, isNamespace(question) ? turned(answer) : answer]))

const sameWords = (a: readonly FreeWord[], b: readonly FreeWord[]): boolean =>
  a.length === b.length && a.every(({ index, kind }, i) => index === b[i]?.index && kind === b[i]?.kind)

const answersOf = ({ sections }: Candidate): Buffer => sections[SECTION.answers] ?? Buffer.alloc(0)

function isSameRequest(a: Candidate, b: Candidate): boolean {
  const free = new Set(a.words.map(({ index }) => index))
  return (
    a.message.compare(b.message, 0, SIZES_AT, 0, SIZES_AT) === 0 &&
    sameWords(a.words, b.words) &&
    a.argv.length === b.argv.length &&
    a.argv.every((word, i) => free.has(i) || word === b.argv[i]) &&
    areSameAnswers(answersOf(a), answersOf(b)) &&
    a.sections.every((section, i) => COMPARED_APART.includes(i) || b.sections[i]?.equals(section) === true)
  )
}

/**
 * The plan of a request as other callers may get it. Undefined: it cannot be said now; `never`: the plan is not to be had by
 * putting in words.
 *
 * @param plan plans for another command line of the same caller
 */
export async function keptPlan(
  message: Buffer,
  request: Request,
  { words, looks }: Repeatable,
  reply: Buffer,
  plan: (request: Request) => Promise<Reply>,
): Promise<KeptPlan | 'never' | undefined> {
  const { argv } = request
  const replaced = words.map(({ index }) => ({ given: argv[index] ?? '', other: turned(argv[index] ?? '') }))
  const turnedWords = new Map(words.map(({ index }, i) => [index, replaced[i]?.other]))
  const other = await plan({
    ...request,
    argv: argv.map((word, i) => turnedWords.get(i) ?? word),
    answers: turnedAnswers(request.answers),
  })
  // The caller may have ended meanwhile, or be in another cgroup.
  if (other.kind !== 'plan' || !isDeepStrictEqual(other.repeats?.looks, looks)) return undefined
  const places = placesOf(reply, encodeReply(other), replaced)
  if (places === undefined) return 'never'
  return { message, words: words.map((word, i) => ({ ...word, places: places[i] ?? [] })), looks: [...looks], reply }
}

export class Repeats {
  #candidates: readonly Candidate[] = []

  /** Facts of the host are others now. */
  forget(): void {
    this.#candidates = []
  }

  /**
   * Look whether a request has come before. The second time its plan is worth keeping.
   *
   * @param plan plans for another command line of the same caller
   */
  async consider(
    message: Buffer,
    { words, looks }: Repeatable,
    reply: Buffer,
    plan: (request: Request) => Promise<Reply>,
  ): Promise<KeptPlan | undefined> {
    if (message.length + reply.length > MOST_BYTES) return undefined
    const header = readRequestHeader(message)
    const request = readRequest(header, message.subarray(REQUEST_HEADER))
    const { argv } = request
    const sections = sectionsOf(header, message.subarray(REQUEST_HEADER))
    const one: Candidate = { message, argv, sections, words, isHopeless: false }
    const before = this.#candidates.find((candidate) => isSameRequest(candidate, one))
    const others = this.#candidates.filter((candidate) => candidate !== before)
    // The one that came last is the first.
    this.#candidates = [before ?? one, ...others].slice(0, MOST_CANDIDATES)
    if (before === undefined || before.isHopeless) return undefined
    const kept = await keptPlan(message, request, { words, looks }, reply, plan)
    before.isHopeless = kept === 'never'
    if (kept === undefined || kept === 'never') return undefined
    this.#candidates = this.#candidates.filter((candidate) => candidate !== before)
    return kept
  }
}
