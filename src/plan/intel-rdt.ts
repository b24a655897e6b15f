import { quote, TsruncError } from '../errors'
import type { HostFacts, ResctrlFacts } from '../host/facts'
import type { IntelRdt } from '../spec/types'
import type { PlanBuilder } from './builder'
import type { Op } from './ops'
import { firstMismatch } from './schemata'

const POINTER = '/linux/intelRdt'

/**
 * The lines for the schemata file in the order of config-linux.md "IntelRdt": l3CacheSchema, memBwSchema, schemata. A line
 * for MB in l3CacheSchema gives way to memBwSchema.
 */
export function schemataLines({ l3CacheSchema = '', memBwSchema = '', schemata = [] }: IntelRdt): readonly string[] {
  const cache = l3CacheSchema.split('\n').filter((line) => memBwSchema === '' || !line.startsWith('MB:'))
  return [...cache, memBwSchema, ...schemata].filter((line) => line !== '')
}

/** Name of the directory for a class of service, "/" for the default class. */
export const closName = (rdt: IntelRdt, id: string): string => {
  const { closID = '' } = rdt
  return closID === '' ? id : closID
}

/** Errors: RDT. */
function mounted({ resctrl }: HostFacts): ResctrlFacts {
  if (resctrl !== undefined) return resctrl
  const message = 'no resctrl file system is mounted (mount -t resctrl resctrl /sys/fs/resctrl, on a CPU that has it)'
  throw new TsruncError('RDT', message, { pointer: POINTER })
}

/** Errors: RDT. */
function groupDirectory(rdt: IntelRdt, facts: HostFacts, id: string): string {
  const { mountPoint } = mounted(facts)
  const name = closName(rdt, id)
  return name === '/' ? mountPoint : `${mountPoint}/${name}`
}

/** Into the class, and into the monitoring group where there is one. */
function joinOps(rdt: IntelRdt, directory: string, id: string): readonly [Op<'joinRdtGroup'>, Op<'joinRdtGroup'>?] {
  const what = `enter the class of service ${directory}`
  const enterClass = { kind: 'joinRdtGroup', pointer: POINTER, what, path: directory } as const
  if (!monitors(rdt)) return [enterClass]
  const path = `${directory}/mon_groups/${id}`
  const pointer = `${POINTER}/enableMonitoring`
  return [enterClass, { kind: 'joinRdtGroup', pointer, what: `enter the monitoring group ${path}`, path }]
}

/** Errors: RDT for an existing class that has other schemata. */
function checkExisting(rdt: IntelRdt, lines: readonly string[], schemata: string): void {
  const line = firstMismatch(lines, schemata)
  if (line === undefined) return
  const has = schemata.trim().split('\n').join('; ')
  const message = `the class of service ${quote(rdt.closID ?? '')} exists with other schemata than ${quote(line)}`
  throw new TsruncError('RDT', `${message}: ${quote(has)}`, { pointer: POINTER })
}

/** Errors: RDT for a class that is asked for by its name alone, and does not exist. */
function planClass({ create }: PlanBuilder, rdt: IntelRdt, directory: string, lines: readonly string[]): void {
  const named = (rdt.closID ?? '') !== ''
  if (named && lines.length === 0) {
    const message = `the class of service ${quote(rdt.closID ?? '')} does not exist, and no schema is given to make it`
    throw new TsruncError('RDT', message, { pointer: `${POINTER}/closID` })
  }
  const what = `make the class of service ${directory}`
  create.push({ kind: 'makeRdtGroup', pointer: POINTER, what, path: directory, keep: named })
}

/** `enableCMT` and `enableMBM` are the names that enableMonitoring had until 1.3 of the specification. */
const monitors = ({ enableMonitoring, enableCMT, enableMBM }: IntelRdt): boolean =>
  enableMonitoring === true || enableCMT === true || enableMBM === true

/**
 * config-linux.md "IntelRdt": init enters its class of service, and its monitoring group, before it does anything, so
 * that all that it makes is in them. What tsrunc makes for this container alone is journaled and ends with it.
 *
 * Errors: RDT.
 */
export function planIntelRdt(builder: PlanBuilder): void {
  const { create, spec, facts, options } = builder
  const rdt = spec.linux?.intelRdt
  if (rdt === undefined) return
  const { mountPoint, schemata } = mounted(facts)
  const directory = groupDirectory(rdt, facts, options.id)
  const lines = schemataLines(rdt)
  const named = (rdt.closID ?? '') !== ''
  if (schemata === undefined) planClass(builder, rdt, directory, lines)
  else if (named) checkExisting(rdt, lines, schemata)
  // In one write: the kernel takes all of the lines or none.
  if (lines.length > 0 && (schemata === undefined || !named)) {
    const text = `${lines.join('\n')}\n`
    const what = `write schemata of ${directory}`
    create.push({ kind: 'writeRdtSchemata', pointer: POINTER, what, root: mountPoint, path: directory, text })
  }
  const [enterClass, enterMonitoring] = joinOps(rdt, directory, options.id)
  create.push(enterClass)
  if (enterMonitoring === undefined) return
  const { pointer, path } = enterMonitoring
  create.push({ kind: 'makeRdtGroup', pointer, what: `make the monitoring group ${path}`, path, keep: false })
  create.push(enterMonitoring)
}

/** One more process, whose maker is in other groups: into those that `create` has made or found. Errors: RDT. */
export function planJoinIntelRdt({ create, spec, facts, options }: PlanBuilder): void {
  const rdt = spec.linux?.intelRdt
  if (rdt === undefined) return
  const directory = groupDirectory(rdt, facts, options.id)
  for (const op of joinOps(rdt, directory, options.id)) if (op !== undefined) create.push(op)
}
