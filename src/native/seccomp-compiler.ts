import { encodeSeccompRequest, type SeccompProgramRequest } from '../plan/seccomp'
import { binding, SECCOMP_ADDON, seccompBinding } from './binding'

/**
 * Compiles profiles by libseccomp, which is neither asked nor loaded for one that was compiled before: programs are kept
 * beneath the state directory `root`. `keeps`: also keep new ones. Errors of the function: NativeError.
 */
export function seccompCompiler(root: string, keeps: boolean): (request: SeccompProgramRequest) => Uint8Array {
  return (request) => {
    const bytes = encodeSeccompRequest(request)
    const found = binding().findSeccomp(root, SECCOMP_ADDON, bytes)
    if (found !== undefined) return found
    const { compile, library } = seccompBinding()
    const program = compile(bytes)
    if (keeps) binding().keepSeccomp(root, SECCOMP_ADDON, bytes, library, program)
    return program
  }
}
