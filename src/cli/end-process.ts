import { readHandoff } from '../host/caller'
import { binding } from '../native/binding'

/**
 * End the process that the launcher became, at once: everything was written synchronously, and node's own orderly end
 * costs milliseconds and may wait for V8's worker threads for ever (nodejs/node#54918). What node changed for the caller
 * is given back. Without a launcher node ends by itself.
 */
export function endProcess(code: number): void {
  process.exitCode = code
  try {
    const handoff = readHandoff(process.env)
    if (handoff !== undefined) binding().exit(handoff.fd, code)
  } catch {
    // A damaged record or a missing addon was told by the verb that needed it; node then ends by itself.
  }
}
