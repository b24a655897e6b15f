import { closeSync, openSync } from 'node:fs'
import type { Memory } from '../host/memory'
import { binding } from '../native/binding'

/** Configurations of engines have some ten thousand bytes, saved plans twice as many. */
const MOST_BYTES = 8 << 20
const MOST_CONTENTS = 64

interface Content {
  readonly kind: string
  readonly bytes: Buffer
  readonly value: unknown
}

/**
 * The memory of a planner: facts of the host until the mount table changes (proc(5) mountinfo, which poll(2) watches), and
 * contents by their bytes, those that were used last.
 */
export class PlannerMemory implements Memory {
  readonly #mountinfo = openSync('/proc/self/mountinfo', 'r')
  readonly #facts = new Map<string, unknown>()
  #closed = false
  /** The one that was used last is the first. */
  #contents: readonly Content[] = []

  close(): void {
    this.#closed = true
    closeSync(this.#mountinfo)
  }

  fact<T>(key: string, probe: () => T): T {
    if (this.#closed) return probe()
    // Before the probe: what changes while it looks is seen the next time.
    if (binding().hasEvent(this.#mountinfo)) this.#facts.clear()
    // A key stands for one probe: what was kept under it is of its type.
    const known = this.#facts.get(key) as T | undefined
    if (known !== undefined) return known
    const found = probe()
    this.#facts.set(key, found)
    return found
  }

  content<T>(kind: string, bytes: Uint8Array, make: () => T): T {
    const known = this.#contents.find((one) => one.kind === kind && one.bytes.equals(bytes))
    // A kind stands for one way to make it.
    const value = known === undefined ? make() : (known.value as T)
    // A copy: what a request came in is larger, and given back.
    const content = known ?? { kind, bytes: Buffer.from(bytes), value }
    if (this.#contents[0] !== content) this.#keep(content)
    return value
  }

  #keep(content: Content): void {
    let left = MOST_BYTES
    this.#contents = [content, ...this.#contents.filter((one) => one !== content)]
      .slice(0, MOST_CONTENTS)
      .filter(({ bytes }) => {
        left -= bytes.length
        return left >= 0
      })
  }
}
