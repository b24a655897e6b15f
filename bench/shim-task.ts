/** What containerd says to a shim, without containerd: the shim's program started, and its task service called. */

import { execFile, execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '../src/shim/client'
import * as m from '../src/shim/messages'
import { decode, encode, type Message, type Table } from '../src/shim/wire'

const NAMESPACE = 'bench'
const CONTAINERD = '/run/containerd/containerd.sock'
const SERVICE = 'containerd.task.v2.Task'
const MILLISECONDS = 60_000
/** tmpfs, as an overlay's upper directory wants it. */
const BUNDLES = '/run/bench'
/** Where makeImages puts it. */
const LAYER = '/tmp/image/root'

export interface Shim {
  readonly program: string
  /** What the shim for runc runs; none for a shim that has a runtime of its own. */
  readonly runtime: string | undefined
}

/** config.json of a container that containerd runs, for a program of ours. */
export type Configuration = Readonly<Record<string, unknown>>

/** @param id of a container of ctr that runs */
export const configurationOf = (id: string): Configuration =>
  JSON.parse(readFileSync(`/run/containerd/io.containerd.runtime.v2.task/default/${id}/config.json`, 'utf8'))

const start = promisify(execFile)

/** The address, in one of the forms in which shims say it. */
const addressOf = (output: string): string =>
  output.startsWith('{') ? (JSON.parse(output) as { readonly address: string }).address : output.trim()

/** One container at its shim. */
export class Task {
  readonly #id: string
  readonly #shim: Shim
  readonly #bundle: string
  readonly #configuration: Configuration
  #client: Client | undefined
  #log = -1

  constructor(id: string, shim: Shim, configuration: Configuration, args: readonly string[]) {
    const { process, linux } = configuration as Readonly<Record<string, Record<string, unknown>>>
    this.#id = id
    this.#shim = shim
    this.#bundle = join(BUNDLES, id)
    this.#configuration = {
      ...configuration,
      process: { ...process, args },
      linux: { ...linux, cgroupsPath: `/bench/${id}` },
    }
  }

  async #call<Q extends Table, A extends Table>(
    method: string,
    [request, answer]: readonly [Q, A],
    message: Partial<Message<Q>>,
  ): Promise<Message<A>> {
    if (this.#client === undefined) throw new Error('the shim is not started')
    return decode(answer, await this.#client.call(SERVICE, method, encode(request, message), { timeout: MILLISECONDS }))
  }

  makeBundle(): void {
    for (const name of ['rootfs', 'upper', 'work']) mkdirSync(join(this.#bundle, name), { recursive: true })
    // Where the shim for runc writes its log. Nobody reads it here: it is short, and open for both.
    const log = join(this.#bundle, 'log')
    execFileSync('mkfifo', [log])
    this.#log = openSync(log, constants.O_RDWR | constants.O_NONBLOCK)
    writeFileSync(join(this.#bundle, 'config.json'), JSON.stringify(this.#configuration))
  }

  async startShim(): Promise<void> {
    const words = [
      '-namespace',
      NAMESPACE,
      '-address',
      CONTAINERD,
      '-publish-binary',
      '/usr/bin/containerd',
      '-id',
      this.#id,
    ]
    const started = start(this.#shim.program, [...words, 'start'], {
      cwd: this.#bundle,
      env: { ...process.env, TTRPC_ADDRESS: `${CONTAINERD}.ttrpc`, GOMAXPROCS: '4' },
    })
    started.child.stdin?.end()
    this.#client = new Client(addressOf((await started).stdout))
  }

  async create(): Promise<void> {
    const { runtime } = this.#shim
    const layers = [`lowerdir=${LAYER}`, ...['upper', 'work'].map((name) => `${name}dir=${join(this.#bundle, name)}`)]
    const value = encode(m.RuncOptions, { binary_name: runtime ?? '' })
    await this.#call('Create', [m.CreateTaskRequest, m.PidResponse], {
      id: this.#id,
      bundle: this.#bundle,
      rootfs: [{ type: 'overlay', source: 'overlay', target: '', options: layers }],
      options: { type_url: 'containerd.runc.v1.Options', value },
    })
  }

  async start(exec_id = ''): Promise<void> {
    await this.#call('Start', [m.ProcessRequest, m.PidResponse], { id: this.#id, exec_id })
  }

  async exec(exec_id: string, args: readonly string[]): Promise<void> {
    const { process } = this.#configuration as { readonly process: object }
    const spec = {
      type_url: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
      value: Buffer.from(JSON.stringify({ ...process, args })),
    }
    await this.#call('Exec', [m.ExecProcessRequest, m.Empty], { id: this.#id, exec_id, spec })
  }

  async wait(exec_id = ''): Promise<number> {
    return (await this.#call('Wait', [m.ProcessRequest, m.WaitResponse], { id: this.#id, exec_id })).exit_status
  }

  async state(): Promise<number> {
    return (await this.#call('State', [m.ProcessRequest, m.StateResponse], { id: this.#id })).status
  }

  async kill(signal: number): Promise<void> {
    await this.#call('Kill', [m.KillRequest, m.Empty], { id: this.#id, signal })
  }

  async delete(exec_id = ''): Promise<void> {
    await this.#call('Delete', [m.ProcessRequest, m.DeleteResponse], { id: this.#id, exec_id })
  }

  /** The shim for runc ends then, which its caller need not wait for. */
  async shutDown(): Promise<void> {
    await this.#call('Shutdown', [m.ShutdownRequest, m.Empty], { id: this.#id }).catch(() => undefined)
    this.#client?.close()
    closeSync(this.#log)
  }
}
