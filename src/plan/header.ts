import { posix } from 'node:path'
import { quote, TsruncError } from '../errors'
import { SIGNALS, SIGRTMAX, SIGRTMIN } from '../tables/signals'
import type { PlanBuilder } from './builder'
import type { PlanHeader } from './plan'

const STOP_SIGNAL = 'org.opencontainers.image.stopSignal'

/** A signal's number by number or name, "SIGRTMIN+3" too; undefined where it is none. */
export function signalNumber(text: string): number | undefined {
  if (/^\d{1,2}$/.test(text)) {
    const number = Number(text)
    return number >= 1 && number <= SIGRTMAX ? number : undefined
  }
  const name = text.toUpperCase().replace(/^SIG/, '')
  if (Object.hasOwn(SIGNALS, name)) return SIGNALS[name as keyof typeof SIGNALS]
  const realTime = /^RT(?:MIN(?:\+(\d{1,2}))?|MAX(?:-(\d{1,2}))?)$/.exec(name)
  if (realTime === null) return undefined
  const number = name.startsWith('RTMIN') ? SIGRTMIN + Number(realTime[1] ?? 0) : SIGRTMAX - Number(realTime[2] ?? 0)
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined
}

/** config.md "Annotations": the image's stop signal, for a kill that names none. */
function stopSignal({ spec }: PlanBuilder): number {
  const text = spec.annotations?.[STOP_SIGNAL] ?? ''
  if (text === '') return SIGNALS.TERM
  const number = signalNumber(text)
  if (number !== undefined) return number
  throw new TsruncError('STOP_SIGNAL', `${quote(text)} is not a signal`, { pointer: `/annotations/${STOP_SIGNAL}` })
}

/** JSON at an indentation of two, as it stands within the state object. */
const nested = (value: object): string => JSON.stringify(value, undefined, 2).replaceAll('\n', '\n  ')

/** What the engine has to know besides operations. Errors: STOP_SIGNAL. */
export function planHeader(builder: PlanBuilder, preserveFds: number): PlanHeader {
  const { spec, options, cgroup, namespaces } = builder
  return {
    id: options.id,
    stateDir: posix.join(options.root, options.id),
    bundle: options.bundle,
    ociVersionJson: JSON.stringify(spec.ociVersion),
    idJson: JSON.stringify(options.id),
    bundleJson: JSON.stringify(options.bundle),
    rootfsJson: JSON.stringify(options.rootfs),
    annotationsJson: nested(spec.annotations ?? {}),
    stopSignal: stopSignal(builder),
    frozenFile: cgroup.frozenFile,
    frozenText: cgroup.frozenText,
    cgroupPaths: cgroup.paths,
    hasProcess: spec.process !== undefined,
    ownPidNamespace: namespaces.kinds.pid === 'new',
    terminal: spec.process?.terminal === true,
    ownKeyring: !options.noNewKeyring,
    preserveFds,
    config: options.config,
  }
}
