import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../lib'

/** What an image can put where a runtime expects a directory, made of a directory of the host. */
export const LINKS: Readonly<Record<string, (outside: string) => string>> = {
  'to a directory of the host': (outside) => outside,
  'to a directory of the host, by ..': (outside) => `../../../../../../../..${outside}`,
  'to a directory of the image': () => '/tmp',
  'to nowhere': () => '/no/such/directory',
}

/** Puts a link in the place of whatever the image has at the path. */
export const replaceByLink = (b: Bundle, path: string, target: string): void => {
  rmSync(join(b.rootfs, path), { recursive: true, force: true })
  symlinkSync(target, join(b.rootfs, path))
}
