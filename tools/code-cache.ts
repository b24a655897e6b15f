/**
 * npm run build:cache: V8's compiled form of dist/bundle.js, for node as it is (dist/bundle.cache) and as it begins sooner
 * (dist/bundle.quick.cache), and the options of that (dist/quick-start). Made after a warm run of `run --dry-run`, so that the
 * functions which V8 compiles only when they are called are in it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { cacheName, QUICK_OPTIONS } from '../src/quick-start'
import { warmConfig } from './warm-config'

const DIST = join(__dirname, '..', 'dist')
const BUNDLE = join(DIST, 'bundle.js')
/** Read by the launcher (native/launcher/quick_start.h). */
const QUICK_START = join(DIST, 'quick-start')

type Run = (require: NodeJS.Require, module: unknown, exports: unknown, directory: string) => void

/** Where src/boot.ts looks for the cache of a node with these options. */
const cacheOf = (options: readonly string[]): string => join(DIST, cacheName(options))

/** What src/boot.ts does, with a look at the result. */
function load(): Script {
  return new Script(readFileSync(BUNDLE, 'utf8'), { filename: BUNDLE })
}

/** The child's part: run the bundle as `tsrunc run --dry-run` and write what V8 compiled. */
function warm(bundle: string): void {
  process.argv = [process.execPath, join(DIST, 'main.js'), 'run', '--dry-run', '--bundle', bundle, 'warm']
  const script = load()
  const run = script.runInThisContext() as Run
  const module = { exports: {} }
  run(createRequire(join(DIST, 'main.js')), module, module.exports, DIST)
  process.on('exit', (code) => {
    if (code === 0) writeFileSync(cacheOf(process.execArgv), script.createCachedData())
  })
}

/** A process of its own: the run prints, and V8's options must be those of the node that the cache is for. */
function warmInChild(options: readonly string[]): void {
  const bundle = mkdtempSync(join(tmpdir(), 'tsrunc-cache-'))
  try {
    mkdirSync(join(bundle, 'rootfs'))
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(warmConfig()))
    const argv = [...options, ...process.execArgv, __filename, '--warm', bundle]
    const child = spawnSync(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] })
    if (child.status !== 0) throw new Error(`the warm run ended with ${child.signal ?? child.status}`)
  } finally {
    rmSync(bundle, { recursive: true, force: true })
  }
}

/** A cache that a node refuses would be read in vain at every start. */
function verify(options: readonly string[]): void {
  const source = `
    const { readFileSync } = require('node:fs')
    const { Script } = require('node:vm')
    const filename = ${JSON.stringify(BUNDLE)}
    const cachedData = readFileSync(${JSON.stringify(cacheOf(options))})
    const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData })
    process.exitCode = script.cachedDataRejected ? 1 : 0`
  const child = spawnSync(process.execPath, [...options, '-e', source], { stdio: 'inherit' })
  if (child.status !== 0) throw new Error('node refuses the cache that it made')
}

function make(options: readonly string[]): void {
  try {
    warmInChild(options)
    verify(options)
  } catch (error) {
    rmSync(cacheOf(options), { force: true })
    throw error
  }
}

/** The options are those of one node, which the launcher knows again by its size and time. */
function writeQuickStart(): void {
  const { size, mtimeNs } = statSync(process.execPath, { bigint: true })
  const written = `${QUICK_START}.new`
  writeFileSync(written, [`node ${size} ${mtimeNs}`, ...QUICK_OPTIONS, ''].join('\n'))
  renameSync(written, QUICK_START)
}

function main(): void {
  const [mode, bundle] = process.argv.slice(2)
  if (mode === '--warm' && bundle !== undefined) {
    warm(bundle)
    return
  }
  for (const path of [QUICK_START, cacheOf([]), cacheOf(QUICK_OPTIONS)]) rmSync(path, { force: true })
  make([])
  try {
    make(QUICK_OPTIONS)
    writeQuickStart()
  } catch (error) {
    // A node that does not know the options begins as it is.
    process.stderr.write(`tools/code-cache.ts: no quick start: ${error instanceof Error ? error.message : error}\n`)
  }
}

main()
