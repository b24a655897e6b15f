import type { Resources } from '../../spec/types'
import { MAX, type Setting } from './setting'

/** config-linux.md "PIDs": any negative number is "unlimited", 0 is a limit (1.3). The same file on v1 and v2. */
export function pids({ limit }: NonNullable<Resources['pids']>): readonly Setting[] {
  if (limit === undefined) return []
  const value = BigInt(limit) < 0n ? MAX : String(limit)
  const what = value === MAX ? 'lift the limit of processes' : `limit processes to ${value}`
  return [{ controller: 'pids', file: 'pids.max', value, pointer: '/linux/resources/pids/limit', what }]
}
