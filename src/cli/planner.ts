import { closeSync } from 'node:fs'
import { resolve } from 'node:path'
import { defaultRoot } from '../container/root'
import { quote } from '../errors'
import { leaveOwnCgroup } from '../planner/own-cgroup'
import { openRoot, Place } from '../planner/place'
import { PlannerServer } from '../planner/server'
import { UsageError } from './parse'
import { rehearsedConfig } from './rehearsed-config'
import { type Call, defineVerb } from './verb'

/** sd_listen_fds(3): the first descriptor that systemd hands over. */
const FIRST_LISTEN_FD = 3
const MOST_SECONDS = 24 * 60 * 60
const SECOND = 1000

function seconds(value: string | undefined): number {
  const text = value ?? '0'
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(number <= MOST_SECONDS)) {
    throw new UsageError(`invalid value ${quote(text)} of --idle: seconds, at most ${MOST_SECONDS}`)
  }
  return number
}

/** The descriptor whose lock says that a planner begins, of one that a call left behind (native/launcher/leave_planner.h). */
const LOCK_VARIABLE = '_TSRUNC_LOCKED_ROOT'

/** Whether systemd listens already. */
function isActivated({ environment, handoff }: Call): boolean {
  return environment['LISTEN_FDS'] === '1' && Number(environment['LISTEN_PID']) === handoff?.caller.pid
}

export const verb = defineVerb({
  name: 'planner',
  summary: 'plan for create, run, exec and update, so that they need not start node',
  synopsis: '',
  description:
    'Serves plans over the socket ~planner in --root, to this user alone and without touching a container, until it is ' +
    'ended. create, run, exec and update ask it with --planner or TSRUNC_PLANNER. Takes its socket from systemd where ' +
    'that has one for it.',
  options: {
    idle: {
      type: 'string',
      value: 'SECONDS',
      description: 'end after so many seconds without a request (default: 0, never)',
    },
  },
  positionals: [0, 0],
  async run(call) {
    const idle = seconds(call.options.idle) * SECOND
    const { root } = call.globals
    const directory = root === undefined ? defaultRoot(call.environment) : resolve(call.cwd, root)
    const activated = isActivated(call)
    if (!activated) openRoot(directory)
    const place = activated ? undefined : await Place.find(directory)
    // Nothing of the caller's is held: its directory can be unmounted.
    process.chdir('/')
    const lock = Number(call.environment[LOCK_VARIABLE] ?? Number.NaN)
    const onListening = () => {
      if (lock >= FIRST_LISTEN_FD) closeSync(lock)
    }
    const rehearsed = rehearsedConfig()
    await new PlannerServer({ place, fd: FIRST_LISTEN_FD, onListening, rehearsed }).serve(idle)
    if (lock >= FIRST_LISTEN_FD) leaveOwnCgroup()
    return 0
  },
})
