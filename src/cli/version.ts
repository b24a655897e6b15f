import { seccompBinding } from '../native/binding'
import { OCI_VERSION_MAX } from '../tables/oci-version'
import { COMMIT, VERSION } from '../version'

/** As runc prints it: engines read the first line and the ones that begin with a word and a colon. */
export function versionText(): string {
  const lines = [
    `tsrunc version ${VERSION}`,
    ...(COMMIT === '' ? [] : [`commit: ${COMMIT}`]),
    `spec: ${OCI_VERSION_MAX}`,
    `node: ${process.version}`,
    `libseccomp: ${seccompBinding().version}`,
  ]
  return `${lines.join('\n')}\n`
}
