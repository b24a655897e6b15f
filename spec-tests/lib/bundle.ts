import { match } from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Answers, type AnswersTo, type Command, type HookLine, parseLines, probeArgs } from './answers'
import { baseConfig, type Config, encodeConfig, type Hook, type HookName } from './config'
import { patient } from './patience'
import { probeProgram } from './programs'
import { runtime } from './runtime'
import { callRuntime, launchRuntime, sandbox, uniqueName } from './sandbox'
import { eventually, expectStatus, type Outcome, type Running, type SpawnOptions } from './spawn'

/** The state of a container as `state` prints it: runtime.md, "State". */
export interface State {
  readonly ociVersion: string
  readonly id: string
  readonly status: string
  readonly pid: number
  readonly bundle: string
  readonly annotations?: Readonly<Record<string, string>>
}

export interface CallOptions extends SpawnOptions {
  /** Options before the verb. */
  readonly global?: readonly string[]
  /** Options of the verb. */
  readonly flags?: readonly string[]
}

const DIRECTORIES = ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root']

/** A root file system that holds the probe and empty directories. */
export const makeRootfs = (path: string): string => {
  for (const name of DIRECTORIES) {
    mkdirSync(join(path, name), { recursive: true, mode: 0o755 })
  }
  chmodSync(join(path, 'tmp'), 0o1777)
  copyFileSync(probeProgram(), join(path, 'bin/probe'))
  chmodSync(join(path, 'bin/probe'), 0o755)
  return path
}

const APPLETS = [
  'sh',
  'cat',
  'ls',
  'mount',
  'mkdir',
  'sleep',
  'true',
  'false',
  'env',
  'id',
  'kill',
  'ps',
  'stty',
  'tty',
]

/** Adds a static busybox with links of its usual names. */
export const addBusybox = (rootfs: string): void => {
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of APPLETS) {
    symlinkSync('busybox', join(rootfs, 'bin', applet))
  }
}

/** One bundle with one container made of it. */
export class Bundle {
  readonly id: string
  readonly path: string
  readonly rootfs: string
  readonly config: Config
  /** The output of `create`, which the container goes on writing to. */
  #created: Running | undefined

  constructor(id: string, path: string, config: Config) {
    this.id = id
    this.path = path
    this.rootfs = join(path, 'rootfs')
    this.config = config
  }

  /** Writes config.json anew. */
  save(): void {
    writeFileSync(join(this.path, 'config.json'), encodeConfig(this.config))
  }

  /** Another container of the same bundle, in a cgroup of its own. */
  twin(): Bundle {
    const id = uniqueName()
    this.config.linux.cgroupsPath = `/${id}`
    this.save()
    return new Bundle(id, this.path, this.config)
  }

  /** Puts a file into the root file system, and the directories above it. */
  file(path: string, content: string, mode = 0o644): string {
    const target = join(this.rootfs, path)
    mkdirSync(join(target, '..'), { recursive: true })
    writeFileSync(target, content)
    chmodSync(target, mode)
    return target
  }

  directory(path: string, mode = 0o755): string {
    const target = join(this.rootfs, path)
    mkdirSync(target, { recursive: true })
    chmodSync(target, mode)
    return target
  }

  #call(verb: string, options: CallOptions, args: readonly string[]): Running {
    sandbox().containers.add(this.id)
    return launchRuntime([...(options.global ?? []), verb, ...(options.flags ?? []), ...args], options)
  }

  /** `create`, whatever its status. */
  async tryCreate(options: CallOptions = {}): Promise<Outcome> {
    const running = this.#call('create', options, ['--bundle', this.path, this.id])
    this.#created = running
    return await running.exited
  }

  async create(options: CallOptions = {}): Promise<Outcome> {
    return expectStatus(await this.tryCreate(options))
  }

  /** `run` in the foreground, whatever its status. */
  tryRun(options: CallOptions = {}): Promise<Outcome> {
    return this.launchRun(options).exited
  }

  async run(options: CallOptions = {}): Promise<Outcome> {
    return expectStatus(await this.tryRun(options))
  }

  /** `run` without waiting for its end. */
  launchRun(options: CallOptions = {}): Running {
    const running = this.#call('run', options, ['--bundle', this.path, this.id])
    this.#created = running
    return running
  }

  /** `restore` without waiting for its end. */
  launchRestore(options: CallOptions = {}): Running {
    const running = this.#call('restore', options, ['--bundle', this.path, this.id])
    this.#created = running
    return running
  }

  /** What the container printed since `create` or `run`. */
  output(): string {
    return this.#created?.stdout() ?? ''
  }

  errors(): string {
    return this.#created?.stderr() ?? ''
  }

  /** A verb without waiting for its end. */
  launchCall(verb: string, options: CallOptions = {}, ...args: readonly string[]): Running {
    return this.#call(verb, options, [this.id, ...args])
  }

  tryCall(verb: string, options: CallOptions = {}, ...args: readonly string[]): Promise<Outcome> {
    return this.launchCall(verb, options, ...args).exited
  }

  /** `exec` of a command, without waiting for its end. */
  launchExec(options: CallOptions, ...command: readonly string[]): Running {
    return this.#call('exec', options, [this.id, ...command])
  }

  /** `exec`, whatever its status. */
  tryExec(options: CallOptions, ...command: readonly string[]): Promise<Outcome> {
    return this.launchExec(options, ...command).exited
  }

  /** `exec` of the probe: its answers, one for each command. */
  async exec<const T extends readonly Command[]>(options: CallOptions, ...commands: T): Promise<AnswersTo<T>> {
    const outcome = expectStatus(await this.tryExec(options, ...probeArgs(commands)))
    return this.answers(outcome.stdout, commands)
  }

  /** Starts the container with a program that does nothing. */
  async startIdle(): Promise<State> {
    this.command(['sleep', '600'])
    await this.create()
    await this.start()
    return await this.state()
  }

  async start(options: CallOptions = {}): Promise<Outcome> {
    return expectStatus(await this.tryCall('start', options))
  }

  async kill(signal: string, options: CallOptions = {}): Promise<Outcome> {
    return expectStatus(await this.tryCall('kill', options, signal))
  }

  async delete(options: CallOptions = {}): Promise<Outcome> {
    return expectStatus(await this.tryCall('delete', options))
  }

  async state(): Promise<State> {
    return JSON.parse(expectStatus(await this.tryCall('state')).stdout) as State
  }

  /** Waits until the container has this status. */
  async reaches(status: string): Promise<State> {
    const end = Date.now() + patient(10_000)
    for (;;) {
      const state = await this.state()
      if (state.status === status) {
        return state
      }
      if (Date.now() > end) {
        throw new Error(`container ${this.id} is ${state.status}, not ${status}`)
      }
    }
  }

  /** Waits for a line of the container's output. */
  line(pattern: RegExp): Promise<string> {
    return eventually(`a line ${pattern} of ${this.id}`, () => pattern.exec(this.output())?.[0])
  }

  /** Makes the container's program the probe with these commands. */
  command(...commands: readonly Command[]): void {
    this.config.process.args = probeArgs(commands)
    this.save()
  }

  /**
   * Runs the container with the probe as its program and returns its answers, one for each command.
   *
   * @throws Error unless the container ends with 0
   */
  async probe<const T extends readonly Command[]>(...commands: T): Promise<AnswersTo<T>> {
    this.command(...commands)
    const outcome = await this.run()
    return this.answers(outcome.stdout, commands)
  }

  answers<const T extends readonly Command[]>(output: string, commands: T): AnswersTo<T> {
    const lines = parseLines(output) as Answers[keyof Answers][]
    if (lines.length !== commands.length) {
      throw new Error(`${lines.length} answers to ${commands.length} commands:\n${output}\n${this.errors()}`)
    }
    return lines as unknown as AnswersTo<T>
  }

  /** The probe's report alone. */
  async report(): Promise<Answers['report']> {
    const [report] = await this.probe(['report'])
    return report
  }

  /** A hook that is the probe and appends to the bundle's hooks.log. */
  hook(name: HookName, ...words: readonly string[]): Hook {
    const inContainer = name === 'startContainer'
    // A hook in a user namespace is nobody to the bundle's directory.
    this.#writableByAll(join(this.path, 'hooks.log'))
    this.#writableByAll(join(this.rootfs, 'hooks.log'))
    const path = inContainer ? '/bin/probe' : probeProgram()
    return { path, args: ['probe', 'hook', inContainer ? '/hooks.log' : join(this.path, 'hooks.log'), ...words] }
  }

  #writableByAll(path: string): void {
    writeFileSync(path, '')
    chmodSync(path, 0o666)
  }

  /** What the hooks have written, in the order of their run. */
  hookLines(): HookLine[] {
    const logs = [join(this.path, 'hooks.log'), join(this.rootfs, 'hooks.log')].filter((path) => existsSync(path))
    const lines = logs.flatMap((path) => parseLines(readFileSync(path, 'utf8'))) as HookLine[]
    return lines.sort((a, b) => a.time - b.time)
  }

  /**
   * `create` that must be refused with status 1; that nothing is left is checked at the end of the test.
   *
   * @param story what the message must say. The specification asks for no words: only a runtime that promises them is held to it.
   */
  async refused(story: RegExp = /./, options: CallOptions = {}): Promise<string> {
    const outcome = await this.tryCreate(options)
    if (outcome.status === 0 || runtime().quirks.tellsStories) {
      expectStatus(outcome, 1)
    }
    if (runtime().quirks.tellsStories) {
      match(outcome.stderr, story)
    }
    const state = await callRuntime(['state', this.id])
    if (state.status === 0) {
      throw new Error(`the container exists after a create that failed: ${state.stdout}`)
    }
    return outcome.stderr
  }
}

/**
 * A bundle of its own for the current test: a fresh root file system with the probe in it, and a config.json that is what
 * `spec` writes, changed by `change`.
 */
export const bundle = async (change: (config: Config, bundle: Bundle) => void = () => undefined): Promise<Bundle> => {
  const id = uniqueName()
  const path = join(sandbox().directory, id)
  mkdirSync(path)
  makeRootfs(join(path, 'rootfs'))
  const made = new Bundle(id, path, baseConfig(`/${id}`))
  change(made.config, made)
  made.save()
  sandbox().caller?.own(path)
  return made
}
