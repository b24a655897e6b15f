import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfig, resolveBundle, resolveRootfs } from './bundle'

let bundle: string

beforeEach(() => {
  bundle = realpathSync(mkdtempSync(join(tmpdir(), 'tsrunc-test-')))
})

afterEach(() => rmSync(bundle, { recursive: true }))

describe('resolveBundle', () => {
  it('follows symlinks', () => {
    const link = join(bundle, 'link')
    symlinkSync(bundle, link)
    expect(resolveBundle(link)).toBe(bundle)
  })

  it('says what is wrong in the words that engines look for', () => {
    writeFileSync(join(bundle, 'file'), '')
    expect(() => resolveBundle(join(bundle, 'no'))).toThrow('no such file or directory: ENOENT')
    expect(() => resolveBundle(join(bundle, 'file'))).toThrow('not a directory: ENOTDIR')
  })
})

describe('readConfig', () => {
  it('reads config.json, or another file of the bundle', () => {
    writeFileSync(join(bundle, 'config.json'), '{}')
    writeFileSync(join(bundle, 'other.json'), '[]')
    expect(readConfig(bundle, undefined)).toEqual({ path: 'config.json', bytes: Buffer.from('{}') })
    expect(readConfig(bundle, 'other.json')).toEqual({ path: 'other.json', bytes: Buffer.from('[]') })
    expect(readConfig('/', join(bundle, 'other.json')).bytes).toEqual(Buffer.from('[]'))
  })

  it('names a missing file', () => {
    expect(() => readConfig(bundle, undefined)).toThrow(
      `"${bundle}/config.json": no such file or directory: ENOENT (tsrunc spec writes one to start from)`,
    )
  })
})

describe('resolveRootfs', () => {
  it('is relative to the bundle and without symlinks', () => {
    mkdirSync(join(bundle, 'real'))
    symlinkSync('real', join(bundle, 'rootfs'))
    expect(resolveRootfs(bundle, 'rootfs')).toBe(join(bundle, 'real'))
    expect(resolveRootfs('/nowhere', join(bundle, 'rootfs'))).toBe(join(bundle, 'real'))
  })

  it('names the line of config.json', () => {
    expect(() => resolveRootfs(bundle, 'rootfs')).toThrow(
      `root file system "${bundle}/rootfs": no such file or directory: ENOENT (config.json /root/path)`,
    )
  })
})
