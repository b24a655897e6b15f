/** Ends of processes. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ShimError } from './errors'
import type { Exit } from './monitor'

/** Those who wait for the end of a process, and that its start comes first. */
export class Ending {
  readonly #waiting = new Set<(exit: Exit) => void>()
  /** Done when no start is under way. */
  started: Promise<void> = Promise.resolve()

  async during(start: () => Promise<void>): Promise<void> {
    const work = start()
    this.started = work.catch(() => undefined)
    await work
  }

  wait(signal: AbortSignal): Promise<Exit> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve)
      signal.addEventListener('abort', () => {
        this.#waiting.delete(resolve)
        reject(new ShimError('cancelled', 'nobody waits any more'))
      })
    })
  }

  tell(exit: Exit): void {
    for (const resolve of this.#waiting) resolve(exit)
    this.#waiting.clear()
  }
}

/** Ends of processes whose monitor was killed, as their parent since then, the keeper, tells them. */
export class Orphans {
  readonly #ends = new Map<number, Exit>()
  readonly #waiting = new Map<number, (exit: Exit) => void>()

  ended(pid: number, exit: Exit): void {
    this.#ends.delete(pid)
    this.#ends.set(pid, exit)
    for (const [oldest] of this.#ends) {
      if (this.#ends.size <= MOST_ENDS) break
      this.#ends.delete(oldest)
    }
    this.#waiting.get(pid)?.(exit)
    this.#waiting.delete(pid)
  }

  /** Of one that runs, or has ended since it was made. Undefined: it is gone, and nobody has told how. */
  async end(pid: number, made: string): Promise<Exit | undefined> {
    const told = new Promise<Exit>((resolve) => {
      const before = this.#ends.get(pid)
      // The number may have been another process's before.
      if (before !== undefined && before.at >= made) resolve(before)
      else this.#waiting.set(pid, resolve)
    })
    const gone = isAlive(pid).ended.then(() => sleep(GRACE))
    return (await Promise.race([told, gone])) ?? undefined
  }
}

/** Most are of monitors, whose own ends nobody asks for. */
const MOST_ENDS = 4096
const INTERVAL = 500
/** Until the keeper has told of one that is gone. */
const GRACE = 1000

/** proc(5): state and time of start, fields 3 and 22; behind the name, which can hold anything. */
function look(pid: number): { readonly state: string; readonly start: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', start: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

/** Watches a process that is nobody's child here. */
export function isAlive(pid: number): { readonly ended: Promise<void> } {
  const first = look(pid)
  const ended = new Promise<void>((resolve) => {
    const again = (): void => {
      const now = look(pid)
      if (first === undefined || now === undefined || now.state === 'Z' || now.start !== first.start) resolve()
      else setTimeout(again, INTERVAL)
    }
    again()
  })
  return { ended }
}
