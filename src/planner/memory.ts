import { isDeepStrictEqual } from 'node:util'
import type { Memory } from '../host/memory'

/** Configurations of engines have some ten thousand bytes, saved plans twice as many. */
const MOST_BYTES = 8 << 20
const MOST_CONTENTS = 64

interface Fact {
  readonly value: unknown
  readonly probe: () => unknown
}

interface Content {
  readonly kind: string
  readonly bytes: Buffer
  readonly value: unknown
}

/**
 * The memory of a planner: facts of the host, which are looked at again when the mount table changes (native/addon/planner_server.cc
 * watches it), and contents by their bytes, those that were used last.
 */
export class PlannerMemory implements Memory {
  readonly #facts = new Map<string, Fact>()
  /** The one that was used last is the first. */
  #contents: readonly Content[] = []

  /** The mount table has changed: whether all facts are what they were. Otherwise they are found anew. */
  look(): boolean {
    const isSame = [...this.#facts.values()].every(({ value, probe }) => {
      try {
        return isDeepStrictEqual(probe(), value)
      } catch {
        return false
      }
    })
    if (!isSame) this.#facts.clear()
    return isSame
  }

  fact<T>(key: string, probe: () => T): T {
    const known = this.#facts.get(key)
    // A key stands for one probe: what was kept under it is of its type.
    if (known !== undefined) return known.value as T
    const value = probe()
    this.#facts.set(key, { value, probe })
    return value
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
