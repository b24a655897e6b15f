import { quote, shortened } from '../../errors'
import { OCI_VERSION_MAX } from '../../tables/oci-version'
import type { Rule } from '../fault'

const SECTION = 'config.md "Specification version"'

interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
  /** "rc5" of 1.0.0-rc5 */
  readonly prerelease: string | undefined
}

const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([\w.-]+))?(?:\+([\w.-]+))?$/

/** Semantic Versioning 2.0.0, items 2, 9 and 10; undefined for what is no such version. */
function parseVersion(text: string): Version | undefined {
  const [whole, major, minor, patch, prerelease, build] = SEMVER.exec(text) ?? []
  if (whole === undefined || whole.includes('_')) return undefined
  const identifiers = [...(prerelease?.split('.') ?? []), ...(build?.split('.') ?? [])]
  if (identifiers.includes('') || prerelease?.split('.').some((part) => /^0\d+$/.test(part))) return undefined
  return { major: Number(major), minor: Number(minor), patch: Number(patch), prerelease }
}

/** SemVer v2.0.0, and of a major version that is known: only minor and patch versions are compatible. */
const versionIsOne: Rule = {
  id: 'oci-version',
  section: SECTION,
  severity: 'error',
  check({ ociVersion }, report) {
    const version = parseVersion(ociVersion)
    if (version === undefined) {
      report('/ociVersion', `must be a version by Semantic Versioning such as "1.3.0", not ${quote(ociVersion)}`)
    } else if (version.major > 1) {
      report('/ociVersion', `is ${shortened(ociVersion)}, but this runtime knows version 1 of the specification`)
    }
  },
}

/** Bundles from before 1.0.0 and from after the newest version that is known may mean something else. */
const versionIsKnown: Rule = {
  id: 'oci-version-known',
  section: SECTION,
  severity: 'warning',
  check({ ociVersion }, report) {
    const known = parseVersion(ociVersion)
    if (known === undefined) return
    const { major, minor, patch, prerelease } = known
    if (major === 0 || (major === 1 && minor === 0 && patch === 0 && prerelease !== undefined)) {
      report('/ociVersion', `is ${shortened(ociVersion)}, from before the specification was released`)
    } else if (major === 1 && minor > Number(OCI_VERSION_MAX.split('.')[1])) {
      report(
        '/ociVersion',
        `is ${shortened(ociVersion)}: properties that are newer than ${OCI_VERSION_MAX} are ignored`,
      )
    }
  },
}

export const VERSION_RULES: readonly Rule[] = [versionIsOne, versionIsKnown]
