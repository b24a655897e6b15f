import { createHash } from 'node:crypto'
import { seccompCompiler } from '../native/seccomp-compiler'
import { encodeSeccompRequest, type SeccompProgramRequest } from '../plan/seccomp'
import type { CompilerOf } from './plan-request'

/** A program has at most 32 KiB. */
const MOST_PROGRAMS = 64

/** Compiled programs by the content of what they were compiled from: profiles repeat, containers do not. */
export class SeccompMemory {
  readonly #programs = new Map<string, Uint8Array>()
  /** The same by the request itself, which a profile that was read once has for its own. */
  readonly #answers = new WeakMap<SeccompProgramRequest, Uint8Array>()

  /** Compiles as `compile` does, and remembers. */
  remember(compile: (request: SeccompProgramRequest) => Uint8Array): (request: SeccompProgramRequest) => Uint8Array {
    return (request) => {
      const answer = this.#answers.get(request)
      if (answer !== undefined) return answer
      const key = createHash('sha256').update(encodeSeccompRequest(request)).digest('base64')
      const known = this.#programs.get(key)
      const program = known ?? compile(request)
      // The one that was used last is the last to be forgotten.
      this.#programs.delete(key)
      this.#programs.set(key, program)
      for (const [oldest] of this.#programs) {
        if (this.#programs.size <= MOST_PROGRAMS) break
        this.#programs.delete(oldest)
      }
      this.#answers.set(request, program)
      return program
    }
  }

  /** Programs are kept on disk too, for calls without a planner. */
  readonly compilerOf: CompilerOf = (root) => this.remember(seccompCompiler(root, true))
}
