import { quote } from '../../errors'
import type { Report, Rule } from '../fault'

/** user:role:type, and a level where the policy has them. Quotes and blanks would change what mount(2) reads. */
const CONTEXT = /^[^:\s"'\\,]+:[^:\s"'\\,]+:[^:\s"'\\,]+(?::[^\s"'\\]+)?$/

function checkContext(pointer: string, label: string | undefined, report: Report): void {
  // Engines in Go leave empty strings behind.
  if (label === undefined || label === '' || CONTEXT.test(label)) return
  report(pointer, `must be an SELinux context "user:role:type[:level]", not ${quote(label)}`)
}

const selinuxLabelIsContext: Rule = {
  id: 'selinux-label',
  section: 'config.md "Linux Process"',
  severity: 'error',
  check({ process }, report) {
    checkContext('/process/selinuxLabel', process?.selinuxLabel, report)
  },
}

const mountLabelIsContext: Rule = {
  id: 'mount-label',
  section: 'config-linux.md "Mount Label"',
  severity: 'error',
  check({ linux }, report) {
    checkContext('/linux/mountLabel', linux?.mountLabel, report)
  },
}

/** The kernel trims what is written to it and takes the rest as it is: a name with such characters would be another. */
const apparmorProfileIsName: Rule = {
  id: 'apparmor-profile',
  section: 'config.md "Linux Process"',
  severity: 'error',
  check({ process }, report) {
    const name = process?.apparmorProfile ?? ''
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
    if (/^\s|\s$|[\x00-\x1f\x7f]/.test(name)) {
      report('/process/apparmorProfile', `must be the name of a profile, not ${quote(name)}`)
    }
  },
}

export const PROCESS_LABEL_RULES: readonly Rule[] = [selinuxLabelIsContext, apparmorProfileIsName]
export const MOUNT_LABEL_RULES: readonly Rule[] = [mountLabelIsContext]
