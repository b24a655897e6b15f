/** containerd.task.v2.Task and containerd.task.v3.Task: the seventeen methods, for all containers of a namespace. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkpoint } from './checkpoint'
import { ShimError } from './errors'
import * as m from './messages'
import { readMetrics } from './metrics'
import { closeInput, type Exit, resize } from './monitor'
import { readOptions } from './options'
import { readWishes } from './runtime'
import { method, type Service } from './server'
import { type ContainerRecord, checkIdentifier, type ProcessRecord, type Streams } from './store'
import { type Surroundings, Task } from './task'
import { timestampOf } from './time'
import { encode } from './wire'

export interface World extends Surroundings {
  /** The keeper is told how many there are. */
  readonly counted: (containers: number) => void
  readonly version: string
}

/** How long the answer to Delete is kept for one who asks again. */
const KEPT_MILLISECONDS = 30_000
const EXEC_NAME_LENGTH = 24

const newProcess = (streams: Streams, monitor: string): ProcessRecord => ({
  streams,
  monitor,
  made: new Date().toISOString(),
  pid: 0,
  started: false,
  exit: undefined,
  told: [],
})

const answerOf = (exit: Exit): { exit_status: number; exited_at: m.Timestamp } => ({
  exit_status: exit.status,
  exited_at: timestampOf(exit.at),
})

export class Tasks {
  readonly #world: World
  readonly #tasks = new Map<string, Task>()

  /** With what earlier processes have left. */
  constructor(world: World) {
    this.#world = world
    for (const record of world.store.all()) {
      const task = new Task(record, world)
      this.#tasks.set(record.id, task)
      task.resume()
      if (record.deleted) this.#removeLater(task)
    }
    this.#count()
  }

  #count(): void {
    this.#world.counted([...this.#tasks.values()].filter(({ record }) => !record.deleted).length)
  }

  /** @throws ShimError there is none */
  #find(id: string): Task {
    const task = this.#tasks.get(id)
    if (task === undefined || task.record.deleted || this.#forgetIfGone(task)) {
      throw new ShimError('notFound', `container ${JSON.stringify(id)} does not exist`)
    }
    return task
  }

  /** containerd's `delete` works without this process, and removes the record. */
  #forgetIfGone(task: Task): boolean {
    if (this.#world.store.load(task.record.id) !== undefined) return false
    this.#drop(task)
    return true
  }

  #drop(task: Task): void {
    task.replace()
    if (this.#tasks.get(task.record.id) === task) this.#tasks.delete(task.record.id)
    this.#count()
  }

  #removeLater(task: Task): void {
    setTimeout(() => {
      if (this.#tasks.get(task.record.id) !== task) return
      this.#drop(task)
      this.#world.store.remove(task.record.id)
    }, KEPT_MILLISECONDS).unref()
  }

  // ---- Create, Start, Delete -------------------------------------------------------------------------------------------

  async #create(request: m.CreateTaskRequest, again: boolean): Promise<number> {
    const { id, bundle, rootfs, checkpoint } = request
    checkIdentifier('container', id)
    const before = this.#tasks.get(id)
    if (before !== undefined && !before.record.deleted && !this.#forgetIfGone(before)) {
      if (!again) throw new ShimError('alreadyExists', `container ${JSON.stringify(id)} exists already`)
      if (before.record.whole) return before.record.init.pid
      await before.inTurn(() => before.undo())
    }
    if (before !== undefined) this.#drop(before)
    const options = readOptions(request.options)
    const { terminal, stdin, stdout, stderr } = request
    const record: ContainerRecord = {
      version: 1,
      id,
      bundle,
      options,
      ...readWishes(bundle, options),
      checkpoint,
      mounted: rootfs.length > 0,
      whole: false,
      paused: false,
      deleted: false,
      init: newProcess({ terminal, stdin, stdout, stderr }, 'init'),
      execs: {},
    }
    const task = new Task(record, this.#world)
    this.#tasks.set(id, task)
    task.save(true)
    this.#count()
    try {
      await task.inTurn(() => task.create(rootfs))
    } catch (error) {
      this.#drop(task)
      this.#world.store.remove(id)
      throw error
    }
    return record.init.pid
  }

  async #start(id: string, execId: string, again: boolean): Promise<number> {
    const task = this.#find(id)
    return await task.inTurn(async () => {
      const process = task.process(execId)
      // A process that died in between has started it, or has not.
      if (again && process.started) return process.pid
      if (again && (await task.hasStarted(execId))) return process.pid
      if (execId === '') await task.start()
      else await task.startExec(execId)
      return process.pid
    })
  }

  async #delete(id: string, execId: string, again: boolean): Promise<{ pid: number; exit: Exit }> {
    const kept = this.#tasks.get(id)
    if (again && execId === '' && kept?.record.deleted && kept.record.init.exit !== undefined) {
      return { pid: kept.record.init.pid, exit: kept.record.init.exit }
    }
    const task = this.#find(id)
    return await task.inTurn(() => (execId === '' ? this.#deleteContainer(task) : this.#deleteExec(task, execId)))
  }

  async #deleteExec(task: Task, execId: string): Promise<{ pid: number; exit: Exit }> {
    const { pid, exit, started } = task.process(execId)
    if (started && exit === undefined) {
      throw new ShimError('failedPrecondition', `process ${execId} of ${task.record.id} is running`)
    }
    task.removeExec(execId)
    return { pid, exit: exit ?? { status: 0, at: new Date().toISOString(), oom: false } }
  }

  async #deleteContainer(task: Task): Promise<{ pid: number; exit: Exit }> {
    const { init, id } = task.record
    if (init.started && init.exit === undefined) throw new ShimError('failedPrecondition', `container ${id} is running`)
    await task.undo()
    const exit = init.exit ?? { status: 137, at: new Date().toISOString(), oom: false }
    task.ended('', init, exit)
    task.record.deleted = true
    task.save()
    task.publishDelete(exit)
    this.#removeLater(task)
    this.#count()
    return { pid: init.pid, exit }
  }

  // ---- Exec ------------------------------------------------------------------------------------------------------------

  #exec(id: string, execId: string, streams: Streams, spec: Uint8Array, again: boolean): void {
    checkIdentifier('process', execId)
    const task = this.#find(id)
    if (Object.hasOwn(task.record.execs, execId)) {
      if (again) return
      throw new ShimError('alreadyExists', `process ${execId} of ${id} exists already`)
    }
    // A name of the monitor's own: those of engines are long, paths of sockets are not.
    const name = createHash('sha256').update(execId).digest('hex').slice(0, EXEC_NAME_LENGTH)
    const process = newProcess(streams, `exec-${name}`)
    writeFileSync(join(task.record.bundle, `${process.monitor}.json`), spec, { mode: 0o600 })
    task.record.execs[execId] = process
    task.save()
    task.publish('/tasks/exec-added', { exec_id: execId }, process)
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  #state(id: string, execId: string) {
    const { record, ...task } = { record: this.#find(id).record, process: this.#find(id).process(execId) }
    const { pid, started, exit, streams } = task.process
    const alive = started ? (record.paused ? m.STATUS.paused : m.STATUS.running) : m.STATUS.created
    return {
      id: execId === '' ? id : execId,
      bundle: record.bundle,
      pid,
      status: exit === undefined ? alive : m.STATUS.stopped,
      ...streams,
      exec_id: execId,
      ...(exit === undefined ? {} : answerOf(exit)),
    }
  }

  async #pids(id: string) {
    const task = this.#find(id)
    const text = await this.#world.runtime.verb(task.record, 'ps', ['--format', 'json', id])
    const execs = Object.entries(task.record.execs)
    return ((JSON.parse(text) as readonly number[] | null) ?? []).map((pid) => {
      const exec = execs.find(([, process]) => process.pid === pid && process.exit === undefined)
      if (exec === undefined) return { pid, info: undefined }
      const value = encode(m.ProcessDetails, { exec_id: exec[0] })
      return { pid, info: { type_url: 'containerd.runc.v1.ProcessDetails', value } }
    })
  }

  async #freeze(id: string, verb: 'pause' | 'resume'): Promise<void> {
    const task = this.#find(id)
    await task.inTurn(async () => {
      await this.#world.runtime.verb(task.record, verb, [id])
      task.record.paused = verb === 'pause'
      task.save()
      task.publish(verb === 'pause' ? '/tasks/paused' : '/tasks/resumed', {})
    })
  }

  async #update(id: string, resources: Uint8Array): Promise<void> {
    const task = this.#find(id)
    const input = Buffer.from(resources).toString('utf8')
    await task.inTurn(() => this.#world.runtime.verb(task.record, 'update', ['--resources', '-', id], { input }))
  }

  get service(): Service {
    const { runtime } = this.#world
    return {
      State: method(m.ProcessRequest, m.StateResponse, async ({ id, exec_id }) => this.#state(id, exec_id)),
      Create: method(m.CreateTaskRequest, m.PidResponse, async (request, { again }) => ({
        pid: await this.#create(request, again),
      })),
      Start: method(m.ProcessRequest, m.PidResponse, async ({ id, exec_id }, { again }) => ({
        pid: await this.#start(id, exec_id, again),
      })),
      Delete: method(m.ProcessRequest, m.DeleteResponse, async ({ id, exec_id }, { again }) => {
        const { pid, exit } = await this.#delete(id, exec_id, again)
        return { pid, ...answerOf(exit) }
      }),
      Pids: method(m.ContainerRequest, m.PidsResponse, async ({ id }) => ({ processes: await this.#pids(id) })),
      Pause: method(m.ContainerRequest, m.Empty, async ({ id }) => {
        await this.#freeze(id, 'pause')
        return {}
      }),
      Resume: method(m.ContainerRequest, m.Empty, async ({ id }) => {
        await this.#freeze(id, 'resume')
        return {}
      }),
      Checkpoint: method(m.CheckpointTaskRequest, m.Empty, async ({ id, path, options }) => {
        const task = this.#find(id)
        await task.inTurn(() => checkpoint(runtime, task, path, options))
        return {}
      }),
      Kill: method(m.KillRequest, m.Empty, async ({ id, exec_id, signal, all }) => {
        await this.#find(id).kill(exec_id, signal, all)
        return {}
      }),
      Exec: method(m.ExecProcessRequest, m.Empty, async (request, { again }) => {
        const { id, exec_id, terminal, stdin, stdout, stderr, spec } = request
        if (spec === undefined) throw new ShimError('invalidArgument', 'exec: the process is missing')
        this.#exec(id, exec_id, { terminal, stdin, stdout, stderr }, spec.value, again)
        return {}
      }),
      ResizePty: method(m.ResizePtyRequest, m.Empty, async ({ id, exec_id, width, height }) => {
        const task = this.#find(id)
        await resize(task.directory(task.process(exec_id)), height, width)
        return {}
      }),
      CloseIO: method(m.CloseIORequest, m.Empty, async ({ id, exec_id, stdin }) => {
        const task = this.#find(id)
        const process = task.process(exec_id)
        if (stdin && process.exit === undefined) await closeInput(task.directory(process))
        return {}
      }),
      Update: method(m.UpdateTaskRequest, m.Empty, async ({ id, resources }) => {
        if (resources === undefined) throw new ShimError('invalidArgument', 'update: the resources are missing')
        await this.#update(id, resources.value)
        return {}
      }),
      Wait: method(m.ProcessRequest, m.WaitResponse, async ({ id, exec_id }, { signal }) =>
        answerOf(await this.#find(id).wait(exec_id, signal)),
      ),
      Stats: method(m.ContainerRequest, m.StatsResponse, async ({ id }) => ({
        stats: readMetrics(await runtime.verb(this.#find(id).record, 'events', ['--stats', id])),
      })),
      Connect: method(m.ContainerRequest, m.ConnectResponse, async ({ id }) => ({
        shim_pid: process.ppid,
        task_pid: this.#find(id).record.init.pid,
        version: this.#world.version,
      })),
      // The keeper ends by itself, when nobody has wanted anything for a while.
      Shutdown: method(m.ShutdownRequest, m.Empty, async () => ({})),
    }
  }
}
