import { SECCOMP_ACTIONS } from '../../tables/seccomp'
import type { Report, Rule } from '../fault'

const SECTION = 'config-linux.md "Seccomp"'
const NOTIFY = 'SCMP_ACT_NOTIFY'
const WITH_ERRNO: readonly string[] = Object.entries(SECCOMP_ACTIONS)
  .filter(([, { errno }]) => errno)
  .map(([name]) => name)

/** "When the action doesn't support an errno, the runtime MUST print an error and fail." */
const errnoFitsAction: Rule = {
  id: 'seccomp-errno',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    const seccomp = linux?.seccomp
    if (seccomp?.defaultErrnoRet !== undefined) {
      checkErrno('/linux/seccomp/defaultErrnoRet', seccomp.defaultAction, report)
    }
    seccomp?.syscalls?.forEach(({ action, errnoRet }, index) => {
      if (errnoRet !== undefined) checkErrno(`/linux/seccomp/syscalls/${index}/errnoRet`, action, report)
    })
  },
}

function checkErrno(pointer: string, action: string, report: Report): void {
  if (!WITH_ERRNO.includes(action)) {
    report(pointer, `is given, but ${action} returns no errno: only ${WITH_ERRNO.join(' and ')} do`)
  }
}

/** crun's: where the listener is sent without listenerPath. */
const RECEIVER = 'run.oci.seccomp.receiver'

/**
 * As runc, which hands the listener over by write(2), so that this one would wait for the listener for ever. tsrunc could
 * do without, but a profile that only one runtime takes is of no use.
 */
const notifyIsPossible: Rule = {
  id: 'seccomp-notify',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    const { defaultAction, syscalls = [] } = linux?.seccomp ?? {}
    if (defaultAction === NOTIFY) report('/linux/seccomp/defaultAction', `must not be ${NOTIFY}`)
    syscalls.forEach(({ action, names }, index) => {
      if (action !== NOTIFY) return
      const pointer = `/linux/seccomp/syscalls/${index}`
      if (names.includes('write')) report(`${pointer}/action`, `must not be ${NOTIFY} for write`)
    })
  },
}

/** A warning: crun's callers name a listener for all of their containers, by a variable of the environment. */
const notifyHasListener: Rule = {
  id: 'seccomp-listener',
  section: SECTION,
  severity: 'warning',
  restsOn: ['/linux/seccomp/listenerPath'],
  check({ linux, annotations }, report) {
    const { syscalls = [], listenerPath = '' } = linux?.seccomp ?? {}
    if (listenerPath !== '' || (annotations?.[RECEIVER] ?? '') !== '') return
    const index = syscalls.findIndex(({ action }) => action === NOTIFY)
    if (index < 0) return
    const need = 'needs /linux/seccomp/listenerPath, or RUN_OCI_SECCOMP_RECEIVER in the environment of create'
    report(`/linux/seccomp/syscalls/${index}/action`, `is ${NOTIFY}, which ${need}`)
  },
}

/** "If listenerPath is not set and listenerMetadata is, the runtime MUST generate an error." */
const metadataNeedsListener: Rule = {
  id: 'seccomp-metadata',
  section: SECTION,
  severity: 'error',
  restsOn: ['/linux/seccomp/listenerPath'],
  check({ linux }, report) {
    const { listenerPath = '', listenerMetadata = '' } = linux?.seccomp ?? {}
    if (listenerMetadata !== '' && listenerPath === '') {
      report('/linux/seccomp/listenerMetadata', 'needs /linux/seccomp/listenerPath')
    }
  },
}

export const SECCOMP_RULES: readonly Rule[] = [
  errnoFitsAction,
  notifyIsPossible,
  notifyHasListener,
  metadataNeedsListener,
]
