import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

declare const TSRUNC_DIST: string

const ADDON = join(TSRUNC_DIST, '..', 'build', 'Release', 'tsrunc_addon.node')

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrunc-test-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What a process prints that has the addon and `directory`. */
function printed(source: string): string {
  const before = `const addon = require(${JSON.stringify(ADDON)}), directory = ${JSON.stringify(directory)};`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', before + source], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout
}

describe('lockContainer', () => {
  it('has the lock until the process ends', () => {
    const look = `require('child_process').spawnSync('flock', ['--nonblock', directory, 'true']).status`
    expect(printed(`addon.lockContainer(directory, 100); console.log(${look})`)).toBe('1\n')
    expect(printed(`console.log(${look})`)).toBe('0\n')
  })

  it('gives up when the time is over', () => {
    const twice = 'addon.lockContainer(directory, 100); addon.lockContainer(directory, 20)'
    const said = printed(`try { ${twice} } catch (error) { console.log(error.code, error.path, error.detail) }`)
    expect(said).toBe(`EBUSY ${directory} another tsrunc is at work on this container\n`)
  })

  it('says that the container is gone', () => {
    rmSync(directory, { recursive: true })
    const said = printed('try { addon.lockContainer(directory, 20) } catch (error) { console.log(error.code) }')
    expect(said).toBe('ENOENT\n')
  })
})
