import { resolve } from 'node:path'
import { quote, TsruncError } from '../errors'
import { type HostView, OWN_VIEW } from '../host/view'

const CONFIG = 'config.json'

/** The errno's text as engines look for it in a runtime's message. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
}

export function reason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const text = REASONS[code]
  return text === undefined ? message : `${text}: ${code}`
}

/** The bundle's path without symlinks (bundle.md). Errors: BUNDLE. */
export function resolveBundle(path: string, view: HostView = OWN_VIEW): string {
  try {
    return view.bundleDirectory(path)
  } catch (cause) {
    throw new TsruncError('BUNDLE', `bundle ${quote(path)}: ${reason(cause)}`, { cause })
  }
}

export interface ConfigFile {
  /** How messages name it. */
  readonly path: string
  readonly bytes: Uint8Array
}

/** Read the configuration. `name`: relative to the bundle, or absolute. Errors: CONFIG_FILE. */
export function readConfig(bundle: string, name: string | undefined, view: HostView = OWN_VIEW): ConfigFile {
  const path = resolve(bundle, name ?? CONFIG)
  try {
    return { path: name ?? CONFIG, bytes: view.config(path) }
  } catch (cause) {
    const hint = name === undefined ? ' (tsrunc spec writes one to start from)' : ''
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? hint : ''
    throw new TsruncError('CONFIG_FILE', `${quote(path)}: ${reason(cause)}${missing}`, { cause })
  }
}

/** The directory of the root file system, without symlinks (config.md "Root"). Errors: ROOTFS. */
export function resolveRootfs(bundle: string, path: string, view: HostView = OWN_VIEW): string {
  try {
    return view.realDirectory(resolve(bundle, path))
  } catch (cause) {
    const from = `root file system ${quote(resolve(bundle, path))}`
    const pointer = '/root/path'
    throw new TsruncError('ROOTFS', `${from}: ${reason(cause)} (config.json ${pointer})`, { pointer, cause })
  }
}
