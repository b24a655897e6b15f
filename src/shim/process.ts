/** Ends of processes. */
import { readFileSync } from 'node:fs'
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

const INTERVAL = 500

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
