import { statSync } from 'node:fs'
import { BUNDLE, EXECUTABLE } from '../native/binding'
import type { Identity } from './protocol'

function identify(path: string): Identity {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  const bytes = Buffer.alloc(32)
  if (found === undefined) return ''
  ;[found.dev, found.ino, found.size, found.mtimeNs].forEach((number, i) => {
    bytes.writeBigUInt64LE(number, 8 * i)
  })
  return bytes.toString('hex')
}

/** The files of an installation as they lie on disk. */
export interface Installation {
  readonly executable: Identity
  readonly bundle: Identity
}

export const installation = (): Installation => ({ executable: identify(EXECUTABLE), bundle: identify(BUNDLE) })

export const isSame = (one: Installation, other: Installation): boolean =>
  one.executable === other.executable && one.bundle === other.bundle
