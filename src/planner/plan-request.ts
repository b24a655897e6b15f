import { verb as create } from '../cli/create'
import type { Engine } from '../cli/engine'
import { verb as exec } from '../cli/exec'
import { type LogSink, logOf } from '../cli/log'
import { checkPositionals, readUpToVerb, readWords } from '../cli/read-call'
import { verb as run } from '../cli/run'
import { verb as update } from '../cli/update'
import type { Verb } from '../cli/verb'
import type { Caller } from '../host/facts'
import type { Memory } from '../host/memory'
import type { HostView, Questions, SavedBytes } from '../host/view'
import { OWN_VIEW } from '../host/view'
import type { SeccompProgramRequest } from '../plan/seccomp'
import { type FreeWord, freeWords } from './free-words'
import { type Answers, QUESTION, type Reply, type Request } from './protocol'

/** Verbs that a planner plans. */
const PLANNED: readonly Verb[] = [create, run, exec, update]

const makesOne = (verb: Verb): boolean => verb === create || verb === run

/** Nobody asks so much; a configuration that does is for node. */
const MOST_QUESTIONS = 256

/** Thrown where planning needs to know something of the caller first. */
class Ask extends Error {
  readonly questions: readonly string[]
  constructor(questions: readonly string[]) {
    super('the caller is to be asked')
    this.questions = questions
  }
}

/** Thrown where a call is not the planner's: node says why, or does it. */
class Cold extends Error {}

const directory = (path: string): string => `${QUESTION.directory}${path}`
const namespace = (path: string): string => `${QUESTION.namespace}${path}`
const limit = (path: string): string => `${QUESTION.limit}${path}`

/** How the planner sees its caller: by what the caller has told, and by proc(5). */
class CallersView implements HostView {
  readonly memory: Memory
  /** What it has looked at of the host and may be another the next time, by path. */
  readonly looks = new Map<string, string>()
  /** It has looked at nothing else. */
  isRepeatable = true
  readonly #self: string
  readonly #request: Request
  readonly #answers: Answers
  readonly #ownNamespaces = new Set<string | undefined>()

  constructor(request: Request, pid: number, answers: Answers, memory: Memory) {
    this.memory = memory
    this.#self = `/proc/${pid}`
    this.#request = request
    this.#answers = answers
  }

  get self(): string {
    this.looksBeyond()
    return this.#self
  }

  /** What the launcher noted of the caller is never the same again. */
  get caller(): Caller {
    const { caller } = this.#request
    const looked = <T>(value: T): T => {
      this.looksBeyond()
      return value
    }
    return {
      get fds() {
        return looked(caller.fds)
      },
      get pid() {
        return looked(caller.pid)
      },
    }
  }

  looksBeyond(): void {
    this.isRepeatable = false
  }

  #look(name: string, path: string): string {
    const text = OWN_VIEW.text(path)
    this.looks.set(name, text)
    return text
  }

  readonly ownText = (name: string): string => this.#look(name, `${this.#self}/${name}`)

  ownNamespace(name: string): string | undefined {
    const identity = OWN_VIEW.namespaceIdentity(`${this.#self}/ns/${name}`)
    // Nobody knows then whether one is the caller's.
    if (identity === undefined) this.looksBeyond()
    this.#ownNamespaces.add(identity)
    return identity
  }

  text(path: string): string {
    return this.#look(path, path)
  }

  prepare({ directories, namespaces, limits }: Questions): void {
    const all = [...directories.map(directory), ...namespaces.map(namespace), ...limits.map(limit)]
    // What the exchange cannot carry: a path with a NUL is refused by node, a relative one is its own business.
    if (all.length > MOST_QUESTIONS || all.some((question) => question[1] !== '/' || question.includes('\0'))) {
      throw new Cold()
    }
    const open = [...new Set(all)].filter((question) => !this.#answers.has(question))
    if (open.length > 0) throw new Ask(open)
  }

  bundleDirectory(): string {
    if (this.#request.bundle === undefined) throw new Cold()
    return this.#request.bundle
  }

  get saved(): SavedBytes {
    if (this.#request.saved === undefined) throw new Cold()
    return this.#request.saved
  }

  config(): Uint8Array {
    return this.#request.config
  }

  standardInput(): Uint8Array {
    return this.#request.config
  }

  realDirectory(path: string): string {
    return this.#answer(directory(path))
  }

  namespaceIdentity(path: string): string | undefined {
    const answer = this.#answer(namespace(path))
    // Of one that is not the caller's it makes no difference which it is: another one's plan is the same.
    if (this.#ownNamespaces.has(answer)) this.looksBeyond()
    return answer === '' ? undefined : answer
  }

  limit(path: string): string | undefined {
    const answer = this.#answer(limit(path))
    return answer === '' ? undefined : answer.slice(1).trim()
  }

  #answer(question: string): string {
    const answer = this.#answers.get(question)
    if (answer === undefined) throw new Cold()
    return answer
  }
}

/** Compiles for a directory of containers (native/seccomp-compiler.ts). */
export type CompilerOf = (root: string) => (request: SeccompProgramRequest) => Uint8Array

/** What a planner keeps from one request to the next. */
export interface Kept {
  readonly memory: Memory
  readonly compilerOf: CompilerOf
}

/** What a caller asked for, put together while its verb runs. */
class Collector implements Engine, LogSink {
  readonly view: CallersView
  readonly #compilerOf: CompilerOf
  #stderr = ''
  #logFile = ''
  #log = ''
  #hasTime = false
  #plan: Uint8Array | undefined

  constructor(view: CallersView, compilerOf: CompilerOf) {
    this.view = view
    this.#compilerOf = compilerOf
  }

  begin(): void {}

  /** The caller has done so when it answers what its limits are, or acts (native/launcher/asked.cc). */
  lock(): void {}

  seccompCompiler(root: string): (request: SeccompProgramRequest) => Uint8Array {
    return this.#compilerOf(root)
  }

  print(): void {
    throw new Cold()
  }

  run(plan: Uint8Array): void {
    this.#plan = plan
  }

  time(): Date {
    this.#hasTime = true
    return new Date()
  }

  stderr(text: string): void {
    this.#stderr += text
  }

  file(path: string, line: string): void {
    this.#logFile = path
    this.#log += line
  }

  /** @param words of the caller that make a difference in no more than what they say */
  reply(words: readonly FreeWord[]): Reply {
    if (this.#plan === undefined) return { kind: 'cold' }
    const { isRepeatable, looks } = this.view
    const repeats = isRepeatable && !this.#hasTime ? { words, looks } : undefined
    return { kind: 'plan', stderr: this.#stderr, logFile: this.#logFile, log: this.#log, plan: this.#plan, repeats }
  }
}

async function callVerb(request: Request, engine: Collector): Promise<readonly FreeWord[]> {
  const { argv } = request
  const before = readUpToVerb(argv)
  const verb = PLANNED.find(({ name }) => name === argv[before.end])
  if (verb === undefined) throw new Cold()
  const words = readWords(verb, argv, before)
  if (words.globals.help || words.globals.version) throw new Cold()
  checkPositionals(verb, words)
  await verb.run({
    ...words,
    argv,
    log: { ...logOf(words.globals), sink: engine },
    // The record stays with the caller.
    handoff: { fd: -1, caller: engine.view.caller },
    environment: request.environment,
    cwd: request.cwd,
    engine,
  })
  return freeWords(argv, words.options, makesOne(verb) ? words.positionals[0] : undefined)
}

/**
 * Do what the command line of a caller does up to the plan. Whatever goes wrong is `cold`: node finds it too, and tells
 * it in the same words as always.
 *
 * @param pid of the caller, which lives
 */
export async function planRequest(
  request: Request,
  pid: number,
  answers: Answers,
  { memory, compilerOf }: Kept,
): Promise<Reply> {
  const engine = new Collector(new CallersView(request, pid, answers, memory), compilerOf)
  try {
    return engine.reply(await callVerb(request, engine))
  } catch (error) {
    return error instanceof Ask ? { kind: 'ask', questions: error.questions } : { kind: 'cold' }
  }
}
