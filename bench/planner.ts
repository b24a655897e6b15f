import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Runtime } from './runtimes'
import { measuredEnvironment } from './stopwatch'
import type { Workplace } from './workplace'

/** Emulated, node alone takes so many seconds. */
const START_TIMEOUT_MS = 60_000

/** The planner of tsrunc, for the state root of this benchmark. */
export class Planner {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  /** @throws Error when it does not listen within a minute. */
  static async start(runtime: Runtime, workplace: Workplace): Promise<Planner> {
    const root = workplace.stateRoot(runtime)
    const child = spawn(runtime.path, ['--root', root, 'planner'], { stdio: 'ignore', env: measuredEnvironment() })
    const planner = new Planner(child)
    const deadline = Date.now() + START_TIMEOUT_MS
    while (!existsSync(join(root, '~planner'))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        planner.stop()
        throw new Error('the planner does not listen')
      }
      await sleep(20)
    }
    return planner
  }

  stop(): void {
    this.#process.kill('SIGTERM')
  }
}
