import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Exit } from './monitor'
import { Orphans } from './process'

const exit = (status: number, at: string): Exit => ({ status, at, oom: false })
const MADE = '2026-01-01T00:00:00.000Z'

test('an end that was told before or after the question is its answer', async () => {
  const orphans = new Orphans()
  orphans.ended(process.pid, exit(3, '2026-01-01T00:00:01.000Z'))
  expect((await orphans.end(process.pid, MADE))?.status).toBe(3)
  const other = orphans.end(process.ppid, MADE)
  orphans.ended(process.ppid, exit(143, '2026-01-01T00:00:02.000Z'))
  expect((await other)?.status).toBe(143)
})

test('an end of a process that had the number before is none', async () => {
  const orphans = new Orphans()
  orphans.ended(process.pid, exit(3, '2025-12-31T23:59:59.000Z'))
  const asked = orphans.end(process.pid, MADE)
  orphans.ended(process.pid, exit(4, '2026-01-01T00:00:01.000Z'))
  expect((await asked)?.status).toBe(4)
})

test('what is gone without a word is not known', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  expect(await new Orphans().end(child.pid ?? 0, MADE)).toBe(undefined)
})
