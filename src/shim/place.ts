import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** native/shim/place.h has both too. */
const BASE = '/run/tsrunc-shim'
const KEY_LENGTH = 32

/** Where the keeper of a containerd and a namespace of it lives. */
export function placeOf(namespace: string, address: string): string {
  const key = createHash('sha256').update(`${namespace}\0${address}`).digest('hex').slice(0, KEY_LENGTH)
  return join(BASE, key)
}
