/** One container and the processes that were added to it, as containerd sees them: a task. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lastLine } from './command'
import { CODE, ShimError } from './errors'
import type { Mount, Topic } from './messages'
import { type Exit, waitForExit } from './monitor'
import { mountWords } from './mounts'
import { Ending, type Orphans } from './process'
import type { EventOf, Publisher } from './publisher'
import type { Runtime } from './runtime'
import type { ContainerRecord, ProcessRecord, Store } from './store'
import { prepare } from './streams'
import { timestampOf } from './time'

export interface Surroundings {
  readonly runtime: Runtime
  readonly store: Store
  readonly publisher: Publisher
  readonly orphans: Orphans
  /** Of the keeper. */
  readonly place: string
}

/** Topics in the order in which they must come. */
const INIT = { added: '/tasks/create', started: '/tasks/start' } as const
const EXEC = { added: '/tasks/exec-added', started: '/tasks/exec-started' } as const

const LOST_STATUS = 255

export class Task {
  readonly record: ContainerRecord
  readonly #with: Surroundings
  readonly #endings = new Map<string, Ending>()
  /** What changes the container, one after the other. */
  #queue: Promise<unknown> = Promise.resolve()
  /** Another one has its name. */
  #replaced = false

  constructor(record: ContainerRecord, surroundings: Surroundings) {
    this.record = record
    this.#with = surroundings
  }

  // ---- what is known ---------------------------------------------------------------------------------------------------

  get rootfs(): string {
    return join(this.record.bundle, 'rootfs')
  }

  /** @throws ShimError there is no such process */
  process(execId: string): ProcessRecord {
    const { id, init, execs } = this.record
    const found = execId === '' ? init : Object.hasOwn(execs, execId) ? execs[execId] : undefined
    if (found === undefined) throw new ShimError('notFound', `process ${execId} of ${id} does not exist`)
    return found
  }

  directory(process: ProcessRecord): string {
    return this.#with.runtime.monitor(this.record, process.monitor)
  }

  #ending(execId: string): Ending {
    const found = this.#endings.get(execId) ?? new Ending()
    this.#endings.set(execId, found)
    return found
  }

  wait(execId: string, signal: AbortSignal): Promise<Exit> {
    const { exit } = this.process(execId)
    return exit === undefined ? this.#ending(execId).wait(signal) : Promise.resolve(exit)
  }

  save(first = false): void {
    if (!this.#replaced) this.#with.store.save(this.record, first)
  }

  /** Its name is given away, or its record is no longer wanted. */
  replace(): void {
    this.#replaced = true
  }

  /** @throws ShimError what `work` throws */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work)
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  // ---- events ----------------------------------------------------------------------------------------------------------

  publish<T extends Topic>(topic: T, event: EventOf<T>, of?: ProcessRecord): void {
    this.#with.publisher.publish(topic, { container_id: this.record.id, ...event }, () => {
      of?.told.push(topic)
      if (of !== undefined) this.save()
    })
  }

  publishCreate(rootfs: readonly Mount[], checkpoint: string): void {
    const { bundle, init } = this.record
    const { terminal, stdin, stdout, stderr } = init.streams
    const io = { terminal, stdin, stdout, stderr }
    this.publish(INIT.added, { bundle, rootfs, io, checkpoint, pid: init.pid }, init)
  }

  publishStarted(execId: string): void {
    const process = this.process(execId)
    if (execId === '') this.publish(INIT.started, { pid: process.pid }, process)
    else this.publish(EXEC.started, { exec_id: execId, pid: process.pid }, process)
  }

  #publishExit(execId: string, process: ProcessRecord, exit: Exit): void {
    const { id } = this.record
    if (exit.oom && execId === '') this.publish('/tasks/oom', {})
    const event = { id: execId === '' ? id : execId, pid: process.pid, exit_status: exit.status }
    this.publish('/tasks/exit', { ...event, exited_at: timestampOf(exit.at) }, process)
  }

  publishDelete(exit: Exit): void {
    const { id, init } = this.record
    const event = { id, pid: init.pid, exit_status: exit.status, exited_at: timestampOf(exit.at) }
    this.publish('/tasks/delete', event, init)
  }

  /** Goes on where a process that has died was: what containerd may not have heard, and what is to come. */
  resume(): void {
    if (!this.record.whole) return
    for (const [execId, process] of [['', this.record.init] as const, ...Object.entries(this.record.execs)]) {
      const { told, exit } = process
      const topics = execId === '' ? INIT : EXEC
      if (!told.includes(topics.added)) {
        if (execId === '') this.publishCreate([], this.record.checkpoint)
        else this.publish(EXEC.added, { exec_id: execId }, process)
      }
      if (process.started && !told.includes(topics.started)) this.publishStarted(execId)
      if (exit !== undefined && !told.includes('/tasks/exit')) this.#publishExit(execId, process, exit)
      if (exit === undefined && process.pid > 0) this.watch(execId)
    }
    const { deleted, init } = this.record
    if (deleted && init.exit !== undefined && !init.told.includes('/tasks/delete')) this.publishDelete(init.exit)
  }

  // ---- ends ------------------------------------------------------------------------------------------------------------

  /** Notes the end of a process that has a monitor. */
  watch(execId: string): void {
    const process = this.process(execId)
    const noted = async (): Promise<void> => {
      const told = await waitForExit(this.directory(process))
      const exit = told ?? (await this.#unwatched(process))
      // The start of a process is told before its end.
      await this.#ending(execId).started
      this.ended(execId, process, exit)
    }
    noted().catch((error: Error) => globalThis.process.stderr.write(`${error.stack}\n`))
  }

  ended(execId: string, process: ProcessRecord, exit: Exit): void {
    if (process.exit === undefined && !this.#replaced) {
      process.exit = exit
      this.save()
      this.#publishExit(execId, process, exit)
    }
    this.#ending(execId).tell(process.exit ?? exit)
  }

  /** Its monitor was killed: the keeper is its parent, unless it began after the process. */
  async #unwatched({ pid, monitor, made }: ProcessRecord): Promise<Exit> {
    const { id } = this.record
    globalThis.process.stderr.write(`${id}: the monitor ${monitor} of ${pid} is gone\n`)
    const exit = await this.#with.orphans.end(pid, made)
    if (exit !== undefined) return exit
    globalThis.process.stderr.write(`${id}: nobody knows how ${pid} has ended\n`)
    return { status: LOST_STATUS, at: new Date().toISOString(), oom: false }
  }

  // ---- the verbs that make something -----------------------------------------------------------------------------------

  async create(rootfs: readonly Mount[]): Promise<void> {
    const { runtime } = this.#with
    const { id, checkpoint } = this.record
    try {
      const mounts = mountWords(rootfs, this.rootfs)
      if (rootfs.length > 0) mkdirSync(this.rootfs, { recursive: true, mode: 0o711 })
      // containerd's: a task that goes on from a checkpoint does so at its start, and has no process before.
      if (checkpoint === '') await this.#make('create', [], mounts)
      else if (rootfs.length > 0) await runtime.mount(mounts)
    } catch (error) {
      await this.undo().catch((left: Error) => globalThis.process.stderr.write(`${id}: ${left.message}\n`))
      throw error
    }
    this.record.whole = true
    this.save()
    this.publishCreate(rootfs, checkpoint)
    if (checkpoint === '') this.watch('')
  }

  /** A process with its streams: the container's first. */
  async #make(verb: 'create' | 'restore', words: readonly string[], mounts: readonly string[] = []): Promise<void> {
    const { runtime } = this.#with
    const { id, bundle, options, init } = this.record
    const streams = await prepare(runtime, init.streams, this.#fifos('init'), id)
    try {
      const args = [
        ...words,
        ...['--monitor', '--bundle', bundle, '--pid-file', this.#pidFile, ...streams.args],
        ...(options.noPivotRoot ? ['--no-pivot'] : []),
        ...(options.noNewKeyring ? ['--no-new-keyring'] : []),
        id,
      ]
      await runtime.verb(this.record, verb, args, { mounts })
      init.pid = Number(readFileSync(this.#pidFile, 'utf8'))
    } catch (error) {
      streams.abandon()
      throw error
    } finally {
      streams.settle()
    }
  }

  get #pidFile(): string {
    return join(this.record.bundle, 'init.pid')
  }

  async #restore(): Promise<void> {
    const { bundle, checkpoint, options } = this.record
    const work = options.criuWorkPath || join(bundle, 'work')
    await this.#make('restore', ['--detach', '--image-path', checkpoint, '--work-path', work])
    this.watch('')
  }

  #fifos(name: string): string {
    return join(this.#with.place, 'streams', this.record.id, name)
  }

  /** Everything that a container has, also of one that is half made. */
  async undo(): Promise<void> {
    const { id, mounted, init, deleteHook } = this.record
    const remove = (): Promise<unknown> => this.#with.runtime.verb(this.record, 'delete', ['--force', id])
    const unmount = async (): Promise<void> => {
      if (mounted) await this.#with.runtime.unmount(this.rootfs)
    }
    if (init.exit !== undefined && !deleteHook) {
      // Nobody looks at it any more: both at once, and both to their end.
      const steps = await Promise.allSettled([remove(), unmount()])
      const failed = steps.flatMap((step) => (step.status === 'rejected' ? [step.reason as Error] : []))
      const [first, ...others] = failed
      for (const other of others) globalThis.process.stderr.write(`${id}: ${other.message}\n`)
      if (first !== undefined) throw first
    } else {
      await remove()
      await unmount()
    }
    rmSync(join(this.#with.place, 'streams', this.record.id), { recursive: true, force: true })
  }

  async start(): Promise<void> {
    const { runtime } = this.#with
    const { id, init, checkpoint } = this.record
    if (init.started) throw new ShimError('failedPrecondition', `${id} is started already`)
    await this.#ending('').during(async () => {
      if (checkpoint === '') await runtime.verb(this.record, 'start', [id])
      else await this.#restore()
      this.#started('')
    })
  }

  /** Whether a process that has died has come so far; what it could not note is noted then. */
  async hasStarted(execId: string): Promise<boolean> {
    const process = this.process(execId)
    if (execId === '') {
      const { status, stdout, stderr } = await this.#with.runtime.attempt(this.record, 'state', [this.record.id])
      // Not restored yet.
      if (status !== 0 && this.record.checkpoint !== '') return false
      if (status !== 0) throw new ShimError('unknown', `OCI runtime state failed: ${lastLine(stderr)}`)
      if ((JSON.parse(stdout) as { readonly status?: unknown }).status === 'created') return false
      if (process.pid === 0) {
        process.pid = Number(readFileSync(this.#pidFile, 'utf8'))
        this.watch('')
      }
    } else {
      const file = join(this.record.bundle, `${process.monitor}.pid`)
      if (!existsSync(file) || !existsSync(this.directory(process))) return false
      process.pid = Number(readFileSync(file, 'utf8'))
      this.watch(execId)
    }
    this.#started(execId)
    return true
  }

  #started(execId: string): void {
    this.process(execId).started = true
    this.save()
    this.publishStarted(execId)
  }

  async startExec(execId: string): Promise<void> {
    const { runtime } = this.#with
    const { id, bundle } = this.record
    const process = this.process(execId)
    if (process.started) throw new ShimError('failedPrecondition', `process ${execId} of ${id} is started already`)
    const file = (end: string): string => join(bundle, `${process.monitor}.${end}`)
    const streams = await prepare(runtime, process.streams, this.#fifos(process.monitor), id)
    try {
      await this.#ending(execId).during(async () => {
        await runtime.verb(this.record, 'exec', [
          ...['--detach', '--monitor', '--exec-id', process.monitor.replace(/^exec-/, '')],
          ...['--process', file('json'), '--pid-file', file('pid'), ...streams.args, id],
        ])
        process.pid = Number(readFileSync(file('pid'), 'utf8'))
        this.watch(execId)
        this.#started(execId)
      })
    } catch (error) {
      streams.abandon()
      throw error
    } finally {
      streams.settle()
    }
  }

  removeExec(execId: string): void {
    const process = this.process(execId)
    for (const end of ['json', 'pid']) rmSync(join(this.record.bundle, `${process.monitor}.${end}`), { force: true })
    rmSync(this.directory(process), { recursive: true, force: true })
    rmSync(this.#fifos(process.monitor), { recursive: true, force: true })
    delete this.record.execs[execId]
    this.#endings.delete(execId)
    this.save()
  }

  /** A signal to the first process, or to all. What has ended cannot be signalled. */
  async kill(execId: string, signal: number, all: boolean): Promise<void> {
    const { id } = this.record
    const process = this.process(execId)
    if (process.exit !== undefined && !all) throw new ShimError('notFound', 'process already finished')
    if (execId !== '') {
      this.#signal(process, signal)
      return
    }
    const { status, stderr } = await this.#with.runtime.attempt(this.record, 'kill', [
      ...(all ? ['--all'] : []),
      ...[id, String(signal)],
    ])
    if (status === 0) return
    if (/not running|no such process|does not exist|stopped/.test(stderr)) {
      throw new ShimError('notFound', 'process already finished')
    }
    throw ShimError.of(CODE.unknown, `OCI runtime kill failed: ${stderr.trim()}`)
  }

  #signal(process: ProcessRecord, signal: number): void {
    if (process.pid <= 0) throw new ShimError('failedPrecondition', 'the process is not started')
    try {
      globalThis.process.kill(process.pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') throw new ShimError('notFound', 'process already finished')
      throw error
    }
  }
}
