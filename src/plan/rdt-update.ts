import { TsruncError } from '../errors'
import type { ResctrlFacts } from '../host/facts'
import type { IntelRdt } from '../spec/types'
import { closName, schemataLines } from './intel-rdt'
import type { Op } from './ops'

export interface RdtSchemas {
  readonly l3CacheSchema: string | undefined
  readonly memBwSchema: string | undefined
}

/**
 * New schemata for the class of service that the container was made in; all that is in that class gets them.
 *
 * Errors: RDT for a container without a class, and where resctrl is not mounted.
 */
export function planRdtUpdate(
  { l3CacheSchema, memBwSchema }: RdtSchemas,
  rdt: IntelRdt | undefined,
  id: string,
  facts: ResctrlFacts | undefined,
): readonly Op[] {
  const flag = l3CacheSchema === undefined ? '--mem-bw-schema' : '--l3-cache-schema'
  if (rdt === undefined) {
    const why = 'the container was created without linux.intelRdt, so it is in no class of service'
    throw new TsruncError('RDT', `change schemata: ${why} (${flag})`)
  }
  if (facts === undefined) {
    throw new TsruncError('RDT', `change schemata: no resctrl file system is mounted (${flag})`)
  }
  const name = closName(rdt, id)
  const path = name === '/' ? facts.mountPoint : `${facts.mountPoint}/${name}`
  const given = {
    ...(l3CacheSchema === undefined ? {} : { l3CacheSchema }),
    ...(memBwSchema === undefined ? {} : { memBwSchema }),
  }
  const text = `${schemataLines(given).join('\n')}\n`
  const what = `change schemata of ${path} (${flag})`
  return [{ kind: 'updateRdtSchemata', pointer: '', what, root: facts.mountPoint, path, text }]
}
