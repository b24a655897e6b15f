import { quote, TsruncError } from '../errors'
import type { HostFacts } from '../host/facts'
import type { Process, Spec } from '../spec/types'
import type { PlanBuilder } from './builder'
import { pointerStep } from './paths'

/** AppArmor's word for no confinement. */
const UNCONFINED = 'unconfined'
/** fsconfig(2): a value has at most 256 bytes with its NUL. */
const MAX_LABEL = 255
/** mount(8): the options of SELinux. Each says something else of the label, see the man page. */
const CONTEXT_OPTIONS = ['context', 'fscontext', 'defcontext', 'rootcontext'] as const
/** crun's annotation that chooses the option for mountLabel. */
const CONTEXT_TYPE = 'run.oci.mount_context_type'
/**
 * File systems of which the kernel has one instance that every mount shows, with the labels that the policy gives them,
 * so that they cannot have another. runc and crun leave out the same ones.
 */
const SHARED_FILE_SYSTEMS: readonly string[] = ['cgroup', 'cgroup2', 'mqueue', 'proc', 'sysfs']

function noSelinux(pointer: string, what: string): TsruncError {
  const message = `${what}: SELinux is not enabled on this host (no policy is loaded, or no selinuxfs is at /sys/fs/selinux)`
  return new TsruncError('NO_SELINUX', `${message}; leave the label out, or enable SELinux`, { pointer })
}

const profileOf = (process: Process | undefined): string => process?.apparmorProfile ?? ''
const labelOf = (process: Process | undefined): string => process?.selinuxLabel ?? ''
const mountLabelOf = (spec: Spec): string => spec.linux?.mountLabel ?? ''

/** Errors: MOUNT_OPTION. */
function contextOption(spec: Spec): string {
  const word = spec.annotations?.[CONTEXT_TYPE] ?? 'context'
  if (CONTEXT_OPTIONS.some((option) => option === word)) return word
  const message = `${quote(word)} is no mount option of SELinux; there are ${CONTEXT_OPTIONS.join(', ')}`
  throw new TsruncError('MOUNT_OPTION', message, { pointer: `/annotations/${pointerStep(CONTEXT_TYPE)}` })
}

/**
 * Labels that this host cannot give, found before anything is made. "unconfined" without AppArmor is what the process is
 * already.
 *
 * Errors: NO_APPARMOR, NO_SELINUX, MOUNT_OPTION, NOT_SUPPORTED.
 */
export function checkLabels(spec: Spec, { apparmor, selinux }: HostFacts): void {
  const profile = profileOf(spec.process)
  if (profile !== '' && profile !== UNCONFINED && apparmor === 'off') {
    const message = `apply AppArmor profile ${quote(profile)}: AppArmor is not enabled on this host`
    const advice =
      '(see /sys/module/apparmor/parameters/enabled); leave the profile out, or boot with security=apparmor'
    throw new TsruncError('NO_APPARMOR', `${message} ${advice}`, { pointer: '/process/apparmorProfile' })
  }
  const label = labelOf(spec.process)
  if (label !== '' && !selinux) throw noSelinux('/process/selinuxLabel', `set SELinux label ${quote(label)}`)
  checkMountLabel(spec, selinux)
}

function checkMountLabel(spec: Spec, selinux: boolean): void {
  const label = mountLabelOf(spec)
  if (label === '') return
  const pointer = '/linux/mountLabel'
  if (!selinux) throw noSelinux(pointer, `label the mounts ${quote(label)}`)
  if (Buffer.byteLength(label) > MAX_LABEL) {
    throw new TsruncError('NOT_SUPPORTED', `a label of more than ${MAX_LABEL} bytes is not supported`, { pointer })
  }
  contextOption(spec)
}

/** The session keyring; its keys get the label of the process, as with runc. */
export function planKeyring({ init, options, spec }: PlanBuilder): void {
  if (options.noNewKeyring) return
  const pointer = '/process/selinuxLabel'
  const label = labelOf(spec.process)
  if (label !== '')
    init.push({ kind: 'setKeyLabel', pointer, what: `label the session keyring ${quote(label)}`, label })
  init.push({ kind: 'joinKeyring', pointer: '', what: 'make a session keyring', name: `_ses.${options.id}` })
  if (label !== '') init.push({ kind: 'setKeyLabel', pointer, what: 'end the labelling of keys', label: '' })
}

/**
 * What the kernel is told. With no_new_privs a process may leave a profile only for one that is stacked on it
 * (the kernel's security/apparmor/domain.c), so that a confined caller adds the profile to its own, as
 * with crun; runc's programs cannot be executed then.
 */
const apparmorCommand = (process: Process | undefined, apparmor: HostFacts['apparmor']): string =>
  `${apparmor === 'confined' && process?.noNewPrivileges === true ? 'stack' : 'exec'} ${profileOf(process)}`

/**
 * config.md "Linux Process": apparmorProfile and selinuxLabel. While the host's procfs is still at /proc, and after the
 * hooks that are the runtime's own; those of startContainer, which are programs of the image, are confined too.
 */
export function planProcessLabels({ init, spec, facts }: PlanBuilder): void {
  const profile = profileOf(spec.process)
  if (profile !== '' && facts.apparmor !== 'off') {
    const what = `apply AppArmor profile ${quote(profile)}`
    const command = apparmorCommand(spec.process, facts.apparmor)
    init.push({ kind: 'setApparmorProfile', pointer: '/process/apparmorProfile', what, command })
  }
  const label = labelOf(spec.process)
  if (label !== '') {
    const what = `set SELinux label ${quote(label)}`
    init.push({ kind: 'setSelinuxLabel', pointer: '/process/selinuxLabel', what, label })
  }
}

/**
 * config-linux.md "Mount Label": the option that gives a new file system of this type its label, or ''. `options` are
 * the mount's own: one of SELinux there is the label that was asked for this mount.
 */
export function fileSystemLabel({ spec }: PlanBuilder, fstype: string, options: readonly string[]): string {
  const label = mountLabelOf(spec)
  if (label === '' || SHARED_FILE_SYSTEMS.includes(fstype)) return ''
  if (CONTEXT_OPTIONS.some((name) => options.some((option) => option.startsWith(`${name}=`)))) return ''
  return `${contextOption(spec)}=${label}`
}

/** The same for mount(2): a level may have commas, so that the value is quoted (mount(8)). */
export const quotedLabel = (option: string): string => option.replace(/=(.*)$/s, '="$1"')

/** A mqueue takes no option for its label, and a label by setxattr(2), as with runc and crun. */
export function planFileLabel(
  { init, spec }: PlanBuilder,
  { fstype, destination }: { readonly fstype: string; readonly destination: string },
): void {
  const label = mountLabelOf(spec)
  if (label === '' || fstype !== 'mqueue') return
  const what = `label ${quote(destination)}`
  init.push({ kind: 'setFileLabel', pointer: '/linux/mountLabel', what, path: destination, label })
}
