import { planRestored } from '../container/restore'
import { ACTION } from '../plan/wire'
import { CONTAINER_OPTIONS, createOptions } from './container-options'
import { CRIU_OPTIONS, criuOptions } from './criu-options'
import { launchPlan } from './launch'
import { containerMonitor, MONITOR_OPTIONS } from './monitor-options'
import type { OptionTable } from './options'
import { UsageError } from './parse'
import { defineVerb } from './verb'

const { 'preserve-fds': _, ...containerOptions } = CONTAINER_OPTIONS

const options = {
  ...containerOptions,
  ...CRIU_OPTIONS,
  ...MONITOR_OPTIONS,
  detach: { type: 'boolean', short: 'd', description: 'return once the container goes on' },
  keep: { type: 'boolean', description: 'keep the stopped container for a later delete' },
  'no-subreaper': { type: 'boolean', description: 'do not wait for processes that the container leaves behind' },
  'tcp-close': { type: 'boolean', description: 'restore TCP connections as closed ones' },
  'lsm-profile': {
    type: 'string',
    value: 'TYPE:NAME',
    description: 'another profile or label: apparmor:NAME or selinux:LABEL',
  },
  'lsm-mount-context': { type: 'string', value: 'CONTEXT', description: 'another SELinux context of the mounts' },
} as const satisfies OptionTable

/** Errors: UsageError. */
function lsmProfile(value = ''): string {
  if (value === '' || /^(?:apparmor|selinux):./.test(value)) return value
  throw new UsageError(`invalid value "${value}" of --lsm-profile: apparmor:NAME or selinux:LABEL`)
}

export const verb = defineVerb({
  name: 'restore',
  summary: 'let a container go on from where checkpoint has saved it, by CRIU',
  synopsis: 'ID',
  description:
    'Makes a container of a bundle as create does, but with the processes that checkpoint has saved. ' +
    'In the foreground: waits for the program, deletes the container and exits with its status (128 + N where ' +
    'signal N ended it). With --detach: returns once the container goes on.',
  options,
  positionals: [1, 1],
  run(call) {
    const { options: values } = call
    const { detach, keep, monitor } = values
    // A monitor stands in for a caller that stays.
    const container = createOptions(call, { ...values, 'preserve-fds': undefined }, detach && !monitor)
    const flags = {
      ...criuOptions(call, values),
      tcpClose: values['tcp-close'],
      lsmProfile: lsmProfile(values['lsm-profile']),
      lsmMountContext: values['lsm-mount-context'] ?? '',
    }
    const subreaper = !values['no-subreaper']
    const launch = { action: ACTION.restore, detach, keep, subreaper, ...containerMonitor(call, values, detach) }
    launchPlan(call, 'tsrunc restore', container.root, launch, values['dry-run'], (surroundings) =>
      planRestored(container, flags, surroundings),
    )
    return 0
  },
})
