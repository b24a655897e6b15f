import { binding } from '../native/binding'
import { OCI_VERSION_MAX } from '../spec/version'
import { COMMIT, VERSION } from '../version'

/** As runc prints it: engines read the first line and the ones that begin with a word and a colon. */
export function versionText(): string {
  const lines = [
    `tsrunc version ${VERSION}`,
    ...(COMMIT === '' ? [] : [`commit: ${COMMIT}`]),
    `spec: ${OCI_VERSION_MAX}`,
    `node: ${process.version}`,
    `libseccomp: ${binding().seccompVersion()}`,
  ]
  return `${lines.join('\n')}\n`
}
