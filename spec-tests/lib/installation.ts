import { cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runtime } from './runtime'
import { scratch } from './sandbox'

/** Another installation of tsrunc, which a test may change. */
export const copyOfRuntime = (): { readonly path: string; readonly bundle: string } => {
  const release = dirname(runtime().path)
  const copy = scratch('copy')
  cpSync(join(release, '../../dist'), join(copy, 'dist'), { recursive: true })
  cpSync(release, join(copy, 'build/Release'), {
    recursive: true,
    filter: (path) => !/\/(obj|\.deps)/.test(path),
  })
  return { path: join(copy, 'build/Release/tsrunc'), bundle: join(copy, 'dist/bundle.js') }
}
