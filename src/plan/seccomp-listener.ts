import { quote, TsruncError } from '../errors'
import { OCI_VERSION_MAX } from '../tables/oci-version'
import type { PlanBuilder } from './builder'
import { pointerStep } from './paths'
import type { SeccompFilter } from './seccomp-filter'

/** crun's: receiver of the listener where there is no listenerPath. */
const RECEIVER = 'run.oci.seccomp.receiver'
/** crun's: the same for all containers that a caller makes, where neither names one. */
const RECEIVER_VARIABLE = 'RUN_OCI_SECCOMP_RECEIVER'

interface Receiver {
  readonly pointer: string
  readonly socket: string
}

/** Errors: SECCOMP where nobody is named. */
function receiverOf({ spec, options }: PlanBuilder, { pointer }: SeccompFilter): Receiver {
  const path = spec.linux?.seccomp?.listenerPath ?? ''
  if (path !== '') return { pointer: '/linux/seccomp/listenerPath', socket: path }
  const annotation = spec.annotations?.[RECEIVER] ?? ''
  if (annotation !== '') return { pointer: `/annotations/${pointerStep(RECEIVER)}`, socket: annotation }
  const variable = options.environment[RECEIVER_VARIABLE] ?? ''
  if (variable !== '') return { pointer: '', socket: variable }
  const message = 'a seccomp filter that notifies (SCMP_ACT_NOTIFY) needs /linux/seccomp/listenerPath'
  const index = spec.linux?.seccomp?.syscalls?.findIndex(({ action }) => action === 'SCMP_ACT_NOTIFY') ?? -1
  throw new TsruncError('SECCOMP', message, { pointer: index < 0 ? pointer : `${pointer}/syscalls/${index}/action` })
}

/** The container that a process is one more of. */
export interface Running {
  readonly pid: number
  readonly status: 'running'
}

/**
 * config-linux.md "The Container Process State" in pieces, between which the engine puts the pid of the process: there,
 * and, while the container is created, as that of the state.
 */
function processState({ spec, options }: PlanBuilder, running: Running | undefined): readonly string[] {
  const metadata = spec.linux?.seccomp?.listenerMetadata ?? ''
  const { annotations = {} } = spec
  const head = { ociVersion: OCI_VERSION_MAX, fds: ['seccompFd'] }
  const state = { ociVersion: spec.ociVersion, id: options.id, status: running?.status ?? 'creating' }
  const rest = { bundle: options.bundle, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) }
  const open = (value: object): string => JSON.stringify(value).slice(0, -1)
  const middle = metadata === '' ? '' : `,"metadata":${JSON.stringify(metadata)}`
  const [upToPid, upToState] = [`${open(head)},"pid":`, `${middle},"state":${open(state)},"pid":`]
  const end = `,${JSON.stringify(rest).slice(1)}}`
  return running === undefined ? [upToPid, upToState, end] : [upToPid, `${upToState}${running.pid}${end}`]
}

/** Loads a filter that notifies while the process is made, and sends its listener. Errors: SECCOMP. */
export function planListener(builder: PlanBuilder, filter: SeccompFilter, running?: Running): void {
  const { pointer, flags, program } = filter
  const { pointer: asked, socket } = receiverOf(builder, filter)
  builder.init.push({ kind: 'setSeccompWithListener', pointer, what: 'load the seccomp filter', flags, program })
  builder.filtered.push({
    kind: 'sendSeccompListener',
    pointer: asked,
    what: `send the seccomp listener to ${quote(socket)}`,
    socket,
    message: processState(builder, running),
  })
}
