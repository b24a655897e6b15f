/**
 * dist/main.js: runs the bundle (src/main.ts and everything below it) with V8's code cache, so that node neither parses
 * nor compiles what a run needs. A cache that is missing, or that this V8 did not make, is ignored: the bundle is then
 * compiled as usual.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { cacheName } from './quick-start'

const filename = join(__dirname, 'bundle.js')
const cache = join(__dirname, cacheName(process.execArgv))
const script = new Script(readFileSync(filename, 'utf8'), {
  filename,
  ...(existsSync(cache) ? { cachedData: readFileSync(cache) } : {}),
})
const run = script.runInThisContext() as (
  require: NodeJS.Require,
  module: NodeJS.Module,
  exports: unknown,
  directory: string,
) => void
run(require, module, exports, __dirname)
