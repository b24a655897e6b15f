import { inUserNamespace } from '../host/probe'

type Environment = Readonly<Record<string, string | undefined>>

/** Where root's containers are kept. */
const ROOT = '/run/tsrunc'

/** As runc: root of the initial user namespace uses /run; everybody else has a runtime directory of its own, also root of
 *  a user namespace, unless USER says that it is root there (as in a container whose init is an engine's service). */
const usesRuntimeDirectory = (environment: Environment, euid: number): boolean =>
  euid !== 0 || (environment.USER !== 'root' && inUserNamespace())

/** The directory of all containers' state where --root is not given: /run/tsrunc, or $XDG_RUNTIME_DIR/tsrunc. */
export function defaultRoot(environment: Environment, euid: number = process.geteuid?.() ?? 0): string {
  const directory = environment.XDG_RUNTIME_DIR
  if (directory === undefined || directory === '') return ROOT
  return usesRuntimeDirectory(environment, euid) ? `${directory}/tsrunc` : ROOT
}
