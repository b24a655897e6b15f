import { quote, TsruncError } from '../errors'
import { binding, type NativeError } from './binding'

/** More than `update --memory-mode safe` takes (plan/cgroup/update.ts). */
const LOCK_MILLISECONDS = 20_000

/** Errors: NO_CONTAINER, CONTAINER_BUSY; the system's own. */
export function lockContainer(stateDir: string, id: string): void {
  try {
    binding().lockContainer(stateDir, LOCK_MILLISECONDS)
  } catch (cause) {
    const { code, detail = '' } = cause as NativeError
    if (code === 'ENOENT') throw new TsruncError('NO_CONTAINER', `container ${quote(id)} does not exist`, { cause })
    if (code !== 'EBUSY') throw cause
    const why = `flock ${stateDir}: ${detail} (EBUSY)`
    throw new TsruncError('CONTAINER_BUSY', `wait for another call about this container: ${why}`, { cause })
  }
}
