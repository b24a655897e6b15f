import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TsruncError } from '../errors'
import { parseRecord, readHandoff } from './caller'

const RECORD = 'tsrunc-handoff 1\npid 42\nnofile 1024 4096\nmask 0\nignored 1000\nfd 0 32768 0\nfd 10 1 1\nfd 3 2 0\n'

describe('parseRecord', () => {
  it('finds the pid and the descriptors, in order', () => {
    expect(parseRecord(RECORD)).toEqual({ pid: 42, fds: [0, 3, 10] })
  })

  it('refuses other texts', () => {
    expect(() => parseRecord('tsrunc-handoff 2\n')).toThrow(TsruncError)
    expect(() => parseRecord('')).toThrow('the record of the caller is not one of tsrunc')
  })
})

describe('readHandoff', () => {
  it('is undefined where the launcher did not start node', () => {
    expect(readHandoff({})).toBeUndefined()
  })

  it('reads the descriptor by position, again and again', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tsrunc-test-'))
    const path = join(directory, 'record')
    writeFileSync(path, RECORD)
    const fd = openSync(path, 'r')
    try {
      const environment = { _TSRUNC_HANDOFF: String(fd) }
      const expected = { fd, caller: { pid: 42, fds: [0, 3, 10] } }
      expect(readHandoff(environment)).toEqual(expected)
      expect(readHandoff(environment)).toEqual(expected)
    } finally {
      closeSync(fd)
      rmSync(directory, { recursive: true })
    }
  })

  it.each(['x', '', '-1', '999999'])('refuses the descriptor %j', (value) => {
    expect(() => readHandoff({ _TSRUNC_HANDOFF: value })).toThrow('cannot be read')
  })
})
