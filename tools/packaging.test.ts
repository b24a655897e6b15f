import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verb } from '../src/cli/planner'
import { checkPositionals, readUpToVerb, readWords } from '../src/cli/read-call'
import { SOCKET_NAME } from '../src/planner/place'

const read = (...path: readonly string[]): string => readFileSync(join(__dirname, '..', ...path), 'utf8')

/** systemd.syntax(7): "[Section] Name" and its value. */
function settings(text: string): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  let section = ''
  for (const line of text.split('\n').filter((one) => one !== '')) {
    section = /^\[\w+\]$/.test(line) ? line : section
    const [, name, value] = /^(\w+)=(.+)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) out.set(`${section} ${name}`, value)
    else expect(line).toBe(section)
  }
  return out
}

describe('the units of systemd', () => {
  const socket = settings(read('packaging', 'systemd', 'tsrunc-planner.socket'))
  const service = settings(read('packaging', 'systemd', 'tsrunc-planner.service'))

  it('listen where callers ask, for root alone', () => {
    expect(socket.get('[Socket] ListenStream')).toBe(`/run/tsrunc/${SOCKET_NAME}`)
    expect(socket.get('[Socket] SocketMode')).toBe('0600')
    expect(socket.get('[Socket] DirectoryMode')).toBe('0700')
  })

  it('start what tsrunc takes for a command line', () => {
    const [program, ...argv] = (service.get('[Service] ExecStart') ?? '').split(' ')
    expect(program).toMatch(/^\/.*\/tsrunc$/)
    const before = readUpToVerb(argv)
    expect(argv[before.end]).toBe(verb.name)
    const words = readWords(verb, argv, before)
    checkPositionals(verb, words)
    expect(words.options).toEqual({ idle: '600' })
  })
})
