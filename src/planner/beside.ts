import { openRoot, Place } from './place'
import { PlannerServer } from './server'

/** Who asks is started by this process: there are as many as it wants. */
const MOST_CONNECTIONS = 4096

/** Plans for the calls of tsrunc that a process makes which stays, as containerd's shim: it needs no second one. */
export class Beside {
  readonly #servers = new Map<string, Promise<PlannerServer | undefined>>()
  readonly #listening = new Set<PlannerServer>()

  async #listen(root: string): Promise<PlannerServer> {
    openRoot(root)
    const place = Place.ofOwner(root)
    const server = new PlannerServer({ place, fd: -1, onListening: () => undefined, mostConnections: MOST_CONNECTIONS })
    server.listen()
    this.#listening.add(server)
    return server
  }

  /** Whether calls with these directories of containers find their planner here. `tell`: why they do not. */
  async serves(root: string, tell: (why: string) => void): Promise<boolean> {
    const before = this.#servers.get(root) ?? Promise.resolve(undefined)
    const turn = before.then(async (server) => {
      // Of an installation that has been replaced: its calls find a planner of their own.
      if (server !== undefined && (server.isWanted || !server.isCurrent)) return server
      if (server !== undefined) {
        server.close()
        this.#listening.delete(server)
      }
      return await this.#listen(root).catch((error: Error) => {
        tell(`plans are not made here: ${error.message}`)
        return undefined
      })
    })
    this.#servers.set(root, turn)
    return (await turn)?.isWanted ?? false
  }

  /** As the last thing that the process does. */
  close(): void {
    for (const server of this.#listening) server.close()
  }
}
