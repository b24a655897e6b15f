import { quote } from '../../errors'
import type { Spec } from '../../spec/types'
import { cgroupError } from './setting'

const POINTER = '/linux/cgroupsPath'

/** NAME_MAX of limits.h. */
const MAX_NAME = 255
/** Below PATH_MAX with a mount point and a file's name around it. */
const MAX_PATH = 3072

/**
 * Where the container's cgroup is beneath the mount point of each hierarchy: absolute and clean, as in "/docker/abc".
 *
 * config-linux.md "Cgroups Path": an absolute path is relative to the mount point; a relative one is relative to a
 * place of the runtime's choice, which is the same here, so that the same value is always the same place. Without one it is
 * the container's id.
 *
 * Errors: CGROUP_PATH for a path that climbs with "..", names the root of the hierarchy or is too long for the kernel.
 */
export function cgroupPath(spec: Spec, id: string): string {
  const given = spec.linux?.cgroupsPath ?? ''
  if (given === '') return `/${id}`
  const names = given.split('/').filter((name) => name !== '' && name !== '.')
  const quoted = quote(given)
  if (names.includes('..')) {
    throw cgroupError('CGROUP_PATH', `invalid cgroupsPath ${quoted}: it must not contain ".."`, POINTER)
  }
  if (names.length === 0) {
    throw cgroupError('CGROUP_PATH', `invalid cgroupsPath ${quoted}: it is the root, not a container's cgroup`, POINTER)
  }
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME) || Buffer.byteLength(given) > MAX_PATH) {
    const limit = `a name may have at most ${MAX_NAME} bytes, the path ${MAX_PATH}`
    throw cgroupError('CGROUP_PATH', `invalid cgroupsPath ${quoted}: ${limit}`, POINTER)
  }
  return `/${names.join('/')}`
}

/** The JSON pointer for what is done because of the path: '' where config.json has none. */
export const cgroupPathPointer = (spec: Spec): string => ((spec.linux?.cgroupsPath ?? '') === '' ? '' : POINTER)
