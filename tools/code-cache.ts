/**
 * npm run build:cache: dist/bundle.cache, V8's compiled form of dist/bundle.js. Made after a warm run of `run --dry-run`,
 * so that the functions which V8 compiles only when they are called are in it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { warmConfig } from './warm-config'

const DIST = join(__dirname, '..', 'dist')
const BUNDLE = join(DIST, 'bundle.js')
const CACHE = join(DIST, 'bundle.cache')

type Run = (require: NodeJS.Require, module: unknown, exports: unknown, directory: string) => void

/** What src/boot.ts does, with a look at the result. */
function load(cachedData: Buffer | undefined): Script {
  const options = cachedData === undefined ? {} : { cachedData }
  return new Script(readFileSync(BUNDLE, 'utf8'), { filename: BUNDLE, ...options })
}

/** The child's part: run the bundle as `tsrunc run --dry-run` and write what V8 compiled. */
function warm(bundle: string): void {
  process.argv = [process.execPath, join(DIST, 'main.js'), 'run', '--dry-run', '--bundle', bundle, 'warm']
  const script = load(undefined)
  const run = script.runInThisContext() as Run
  const module = { exports: {} }
  run(createRequire(join(DIST, 'main.js')), module, module.exports, DIST)
  process.on('exit', (code) => {
    if (code === 0) writeFileSync(CACHE, script.createCachedData())
  })
}

/** A process of its own: the run prints, and V8's flags must be those of a plain node. */
function warmInChild(): void {
  const bundle = mkdtempSync(join(tmpdir(), 'tsrunc-cache-'))
  try {
    mkdirSync(join(bundle, 'rootfs'))
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(warmConfig()))
    const argv = [...process.execArgv, __filename, '--warm', bundle]
    const child = spawnSync(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] })
    if (child.status !== 0) throw new Error(`the warm run ended with ${child.signal ?? child.status}`)
  } finally {
    rmSync(bundle, { recursive: true, force: true })
  }
}

/** A cache that a plain node refuses would be read in vain at every start. */
function verify(): void {
  const source = `
    const { readFileSync } = require('node:fs')
    const { Script } = require('node:vm')
    const filename = ${JSON.stringify(BUNDLE)}
    const cachedData = readFileSync(${JSON.stringify(CACHE)})
    const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData })
    process.exitCode = script.cachedDataRejected ? 1 : 0`
  const child = spawnSync(process.execPath, ['-e', source], { stdio: 'inherit' })
  if (child.status !== 0) {
    rmSync(CACHE, { force: true })
    throw new Error('node refuses the cache that it made')
  }
}

function main(): void {
  const [mode, bundle] = process.argv.slice(2)
  if (mode === '--warm' && bundle !== undefined) {
    warm(bundle)
    return
  }
  rmSync(CACHE, { force: true })
  warmInChild()
  verify()
}

main()
