import { readdirSync, readlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type CommandOptions, lastLine, run } from './command'

const sh = (script: string, options: Partial<CommandOptions> = {}) =>
  run('/bin/sh', ['-c', script], { what: 'try', ...options })

/** Pipes and descriptors of processes that this process has open. */
const openEnds = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /^pipe:|pidfd/.test(readlinkSync(`/proc/self/fd/${fd}`))
    } catch {
      return false
    }
  }).length

describe('run', () => {
  test('gives the status, and both streams apart', async () => {
    expect(await sh('echo out; echo err >&2; exit 3')).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n' })
  })

  test('gives 128 + N for signal N', async () => {
    expect((await sh('kill -TERM $$')).status).toBe(143)
  })

  test('gives an input of any length, and /dev/null without one', async () => {
    const input = 'ä'.repeat(300_000)
    expect((await sh('cat', { input })).stdout).toBe(input)
    expect((await sh('readlink /proc/self/fd/0')).stdout).toBe('/dev/null\n')
  })

  test('takes more than a pipe holds of both streams', async () => {
    const { stdout, stderr } = await sh('head -c 3000000 /dev/zero; head -c 200000 /dev/zero >&2')
    expect([stdout.length, stderr.length]).toEqual([3_000_000, 200_000])
  })

  test('cuts what is too long, and lets the program go on', async () => {
    const { status, stdout } = await sh('head -c 9000000 /dev/zero && exit 7')
    expect([status, stdout.length]).toEqual([7, 8 * 1024 * 1024])
  })

  test('does not wait for a descendant that holds the streams', async () => {
    const { stdout } = await sh('sleep 60 & echo $!')
    process.kill(Number(stdout), 'SIGKILL')
  })

  test('has the name that it is told, and no signal ignored or blocked', async () => {
    expect((await sh('echo $0', { argv0: 'other' })).stdout).toBe('other\n')
    const { stdout } = await sh("grep -E '^Sig(Blk|Ign)' /proc/self/status")
    expect(stdout.replace(/\s+/g, ' ')).toBe(`SigBlk: ${'0'.repeat(16)} SigIgn: ${'0'.repeat(16)} `)
  })

  test('refuses a program that is not there', async () => {
    await expect(run('/no/such', [], { what: 'try' })).rejects.toThrow(/^try: start \/no\/such: .*ENOENT/)
  })

  test('kills one that takes too long', async () => {
    await expect(sh('sleep 60', { timeout: 50 })).rejects.toThrow(/^try: .* has not ended within 50 ms$/)
  })

  test('leaves nothing open, and ends as many as there are at once', async () => {
    await sh('true')
    const before = openEnds()
    const all = await Promise.all(Array.from({ length: 40 }, (_, number) => sh(`echo ${number}; exit ${number}`)))
    expect(all.map(({ status, stdout }) => [status, stdout])).toEqual(all.map((_, number) => [number, `${number}\n`]))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(openEnds()).toBeLessThanOrEqual(before)
  })
})

test('lastLine is the last one with a word', () => {
  expect(lastLine('a\nb \n\n')).toBe('b')
  expect(lastLine('')).toBe('it said nothing')
})
