import { inUserNamespace } from '../host/probe'

type Environment = Readonly<Record<string, string | undefined>>

/** Where root's containers are kept. */
const ROOT = '/run/tsrunc'

/** Root of the initial user namespace uses /run; root of a user namespace that an ordinary user made (USER tells) has a
 *  runtime directory of its own, as has everybody else. */
function usesRuntimeDirectory(environment: Environment, euid: number): boolean {
  if (euid !== 0) return true
  return inUserNamespace() && environment.USER !== undefined && environment.USER !== '' && environment.USER !== 'root'
}

/** The directory of all containers' state where --root is not given: /run/tsrunc, or $XDG_RUNTIME_DIR/tsrunc. */
export function defaultRoot(environment: Environment, euid: number = process.geteuid?.() ?? 0): string {
  const directory = environment.XDG_RUNTIME_DIR
  if (directory === undefined || directory === '') return ROOT
  return usesRuntimeDirectory(environment, euid) ? `${directory}/tsrunc` : ROOT
}
