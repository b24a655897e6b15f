import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Beside } from './beside'
import * as installation from './installation'

let directory: string
let beside: Beside
const told: string[] = []
const tell = (why: string): void => {
  told.push(why)
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrunc-beside-'))
  beside = new Beside()
})

afterEach(() => {
  beside.close()
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true })
  told.length = 0
})

const socketOf = (root: string): string => join(root, '~planner')

const isAnswered = (root: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(socketOf(root), () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

test('serves a directory that it makes, for many who ask at once by one socket', async () => {
  const root = join(directory, 'root')
  expect(await Promise.all(Array.from({ length: 5 }, () => beside.serves(root, tell)))).toEqual(Array(5).fill(true))
  expect(statSync(socketOf(root)).mode & 0o777).toBe(0o600)
  expect(await isAnswered(root)).toBe(true)
  expect(told).toEqual([])
})

test('serves several directories', async () => {
  const roots = ['a', 'b'].map((name) => join(directory, name))
  for (const root of roots) expect(await beside.serves(root, tell)).toBe(true)
  for (const root of roots) expect(await isAnswered(root)).toBe(true)
})

test('takes its place again when the socket is gone', async () => {
  await beside.serves(directory, tell)
  unlinkSync(socketOf(directory))
  expect(await beside.serves(directory, tell)).toBe(true)
  expect(await isAnswered(directory)).toBe(true)
})

test('takes the place of another one, which serves until then', async () => {
  const other = new Beside()
  await other.serves(directory, tell)
  expect(await beside.serves(directory, tell)).toBe(true)
  other.close()
  expect(await isAnswered(directory)).toBe(true)
})

test('stops for good when the files of tsrunc are replaced', async () => {
  await beside.serves(directory, tell)
  vi.spyOn(installation, 'isSame').mockReturnValue(false)
  expect(await beside.serves(directory, tell)).toBe(false)
  expect(told).toEqual([])
})

test('says why it cannot serve', async () => {
  const long = join(directory, 'x'.repeat(100))
  expect(await beside.serves(long, tell)).toBe(false)
  expect(told).toEqual([expect.stringContaining('is too long for a socket')])
})

test('leaves no socket behind', async () => {
  await beside.serves(directory, tell)
  beside.close()
  expect(existsSync(socketOf(directory))).toBe(false)
})
