import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheName, QUICK_OPTIONS } from './quick-start'

declare const TSRUNC_DIST: string

const EXECUTABLE = join(TSRUNC_DIST, '..', 'build', 'Release', 'tsrunc')
/** native/launcher/quick_start.h: kShort. */
const SHORT = 32 << 10
const LONG = ' '.repeat(SHORT)

/** The executable, with a program in the place of dist/main.js that tells how node was begun. */
let tree: string

const write = (name: string, text: string): void => writeFileSync(join(tree, name), text, { mode: 0o600 })

/** As tools/code-cache.ts writes it. */
const node = (): string => {
  const { size, mtimeNs } = statSync(process.execPath, { bigint: true })
  return `node ${size} ${mtimeNs}`
}

/** @returns node's options. */
function begin(argv: readonly string[], more: NodeJS.ProcessEnv = {}): unknown {
  const env = { PATH: process.env['PATH'], TSRUNC_PLANNER: 'off', ...more }
  const global = ['--root', join(tree, 'state')]
  const options = { cwd: tree, env, encoding: 'utf8', input: '{}' } as const
  const { stdout, stderr } = spawnSync(join(tree, 'build/Release/tsrunc'), [...global, ...argv], options)
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'tsrunc-test-'))
  for (const folder of ['build/Release', 'dist', 'bundle']) mkdirSync(join(tree, folder), { recursive: true })
  mkdirSync(join(tree, 'state/a'), { recursive: true, mode: 0o700 })
  copyFileSync(EXECUTABLE, join(tree, 'build/Release/tsrunc'))
  write('dist/main.js', 'process.stdout.write(JSON.stringify(process.execArgv))')
  write('dist/quick-start', [node(), ...QUICK_OPTIONS, ''].join('\n'))
  write('bundle/config.json', '{}')
  write('long.json', LONG)
  write('short.json', '{}')
  write('state/a/plan', 'p')
  write('state/a/state', 's')
})

afterEach(() => rmSync(tree, { recursive: true }))

const RUN = ['run', '--bundle', 'bundle', 'b']
const EXEC = ['exec', 'a', 'true']
const UPDATE = ['update', '--pids-limit', '1', 'a']

describe('node begins sooner', () => {
  it.each([
    ['run', RUN],
    ['create', ['create', '--bundle', 'bundle', 'b']],
    [
      'create of a file beside the bundle',
      ['create', '--bundle', 'bundle', '--config', `/proc/self/cwd/short.json`, 'b'],
    ],
    ['exec', EXEC],
    ['exec of a file', ['exec', '--process', 'short.json', 'a']],
    ['update', UPDATE],
    ['update by a file', ['update', '--resources', 'short.json', 'a']],
  ])('%s', (_title, argv) => {
    expect(begin(argv)).toEqual(QUICK_OPTIONS)
  })
})

describe('node begins as it is', () => {
  it.each([
    ['a verb that is planned for nobody', ['validate', '--bundle', 'bundle']],
    ['a plan that is printed', ['run', '--dry-run', '--bundle', 'bundle', 'b']],
    ['a long configuration', ['run', '--bundle', 'bundle', '--config', '/proc/self/cwd/long.json', 'b']],
    ['a configuration at a path that goes up', ['run', '--bundle', 'bundle', '--config', '../short.json', 'b']],
    ['a bundle at a path that goes up', ['run', '--bundle', 'bundle/../bundle', 'b']],
    ['a configuration that is not there', ['run', '--bundle', 'dist', 'b']],
    ['a bundle that is not there', ['run', '--bundle', 'none', 'b']],
    ['a configuration of unknown length', ['run', '--bundle', 'bundle', '--config', '/proc/self/status', 'b']],
    ['a configuration that is no file', ['run', '--bundle', 'bundle', '--config', '/dev/null', 'b']],
    ['a long file of a process', ['exec', '--process', 'long.json', 'a']],
    ['a file of a process at a path that goes up', ['exec', '--process', 'dist/../short.json', 'a']],
    ['a process of a container that is not there', ['exec', 'none', 'true']],
    ['long words', ['exec', 'a', LONG]],
    ['long limits', ['update', '--resources', 'long.json', 'a']],
    ['limits from the standard input', ['update', '--resources', '-', 'a']],
  ])('for %s', (_title, argv) => {
    expect(begin(argv)).toEqual([])
  })

  it('where all of it together is long', () => {
    const half = LONG.slice(SHORT / 2)
    write('bundle/config.json', half)
    expect(begin(RUN)).toEqual(QUICK_OPTIONS)
    expect(begin(RUN, { PADDING: half })).toEqual([])
    write('bundle/config.json', LONG)
    expect(begin(RUN)).toEqual([])
  })

  it.each(['plan', 'state'])('where the %s that was saved is long', (name) => {
    write(`state/a/${name}`, LONG)
    expect(begin(EXEC)).toEqual([])
    expect(begin(UPDATE)).toEqual([])
  })

  it('for a long variable, but for those that node does not get', () => {
    expect(begin(RUN, { PADDING: LONG })).toEqual([])
    expect(begin(RUN, { NODE_PADDING: LONG })).toEqual(QUICK_OPTIONS)
  })

  it.each([
    ['are not there', undefined],
    ['are none', ''],
    ['are none but for the line of node', () => `${node()}\n`],
    ['are cut', () => [node(), ...QUICK_OPTIONS].join('\n')],
    ['have an empty line', () => [node(), '', ...QUICK_OPTIONS, ''].join('\n')],
    ['have an option without a name', () => [node(), '--', ''].join('\n')],
    ['have a word that is no option', () => [node(), 'other.js', ''].join('\n')],
    ['are those of a longer node', () => [node().replace(' ', ' 1'), ...QUICK_OPTIONS, ''].join('\n')],
    ['are those of a newer node', () => [`${node()}1`, ...QUICK_OPTIONS, ''].join('\n')],
    ['are longer than any', () => [node(), `--title=${'t'.repeat(512)}`, ''].join('\n')],
  ])('where its options %s', (_title, text) => {
    rmSync(join(tree, 'dist/quick-start'))
    if (text !== undefined) write('dist/quick-start', typeof text === 'string' ? text : text())
    expect(begin(RUN)).toEqual([])
  })
})

it('has a code cache of its own', () => {
  expect(cacheName([])).toBe('bundle.cache')
  expect(cacheName(QUICK_OPTIONS.slice(1))).toBe('bundle.cache')
  expect(cacheName(['--no-warnings', ...QUICK_OPTIONS])).toBe('bundle.quick.cache')
})
