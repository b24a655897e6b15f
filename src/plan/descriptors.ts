import { TsruncError } from '../errors'
import type { PlanOptions } from '../host/facts'

/** Descriptors beyond the standard ones that the container gets, from 3 on without gaps. */
export interface DescriptorsPlan {
  readonly count: number
  /** Variables that announce them, "name=value". */
  readonly env: readonly string[]
}

/** sd_listen_fds(3): the sockets are meant for this very process. */
function listenFds({ environment, caller }: PlanOptions): number {
  const { LISTEN_FDS: fds = '', LISTEN_PID: pid = '' } = environment
  return /^\d{1,6}$/.test(fds) && pid === String(caller.pid) ? Number(fds) : 0
}

/** Sockets of LISTEN_FDS first, then --preserve-fds, as with runc. Errors: PRESERVE_FDS for one that is not open. */
export function planDescriptors(options: PlanOptions): DescriptorsPlan {
  const listen = listenFds(options)
  const count = listen + options.preserveFds
  if (count === 0) return { count, env: [] }
  const open = new Set(options.caller.fds)
  for (let fd = 3; fd < 3 + count; fd += 1) {
    if (open.has(fd)) continue
    const asked = fd < 3 + listen ? `LISTEN_FDS=${listen}` : `--preserve-fds ${options.preserveFds}`
    throw new TsruncError('PRESERVE_FDS', `${asked}: file descriptor ${fd} is not open: bad file descriptor`)
  }
  if (listen === 0) return { count, env: [] }
  const names = options.environment['LISTEN_FDNAMES']
  const env = [`LISTEN_FDS=${listen}`, 'LISTEN_PID=1']
  return { count, env: names === undefined ? env : [...env, `LISTEN_FDNAMES=${names}`] }
}
