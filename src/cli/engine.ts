import type { HostView } from '../host/view'
import type { SeccompProgramRequest } from '../plan/seccomp'

/** Who acts on what a verb decides: this very process, or the caller of a planner. */
export interface Engine {
  readonly view: HostView
  /** A plan will follow: what it does not decide can be begun. Errors: NO_LAUNCHER where nobody could run it. */
  begin(): void
  /**
   * From now on no other call changes the container whose state directory is `stateDir`, until what is handed over has
   * been done. Errors: NO_CONTAINER, CONTAINER_BUSY.
   */
  lock(stateDir: string, id: string): void
  /** `root`: directory of all containers' state. `keeps`: programs are kept for later containers. */
  seccompCompiler(root: string, keeps: boolean): (request: SeccompProgramRequest) => Uint8Array
  /** Writes to the caller's stdout. */
  print(text: string): void
  /** Hands over a plan. In this process it never returns. */
  run(plan: Uint8Array): void
}
