import { describe, expect, it } from 'vitest'
import { GLOBAL_OPTIONS, type OptionTable } from './options'
import { globalValues, parse, UsageError } from './parse'

const TABLE = {
  bundle: { type: 'string', short: 'b', description: '' },
  detach: { type: 'boolean', short: 'd', description: '' },
  keep: { type: 'boolean', short: 'k', description: '' },
  format: { type: 'string', choices: ['table', 'json'], description: '' },
} as const satisfies OptionTable

const read = (...argv: string[]) => {
  const { values, positionals } = parse(argv, TABLE)
  return { ...values, _: positionals }
}

describe('parse', () => {
  it('reads long options with the value behind or beside them', () => {
    expect(read('--bundle', '/b', 'id')).toEqual({ bundle: '/b', _: ['id'] })
    expect(read('--bundle=/b', 'id')).toEqual({ bundle: '/b', _: ['id'] })
    expect(read('--bundle=', 'id')).toEqual({ bundle: '', _: ['id'] })
  })

  it('reads single letters, grouped and with a value', () => {
    expect(read('-b', '/b', '-dk')).toEqual({ bundle: '/b', detach: true, keep: true, _: [] })
    expect(read('-b/b', 'id')).toEqual({ bundle: '/b', _: ['id'] })
    expect(read('-db', '/b')).toEqual({ detach: true, bundle: '/b', _: [] })
    expect(read('-b=/b')).toEqual({ bundle: '/b', _: [] })
  })

  it('reads long options with one dash, as go-runc writes them', () => {
    expect(read('-detach', '-bundle', '/b', '-bundle=/c')).toEqual({ detach: true, bundle: '/c', _: [] })
    expect(() => read('-detachx')).toThrow('unknown option -e')
  })

  it('does not take the word behind a switch for its value', () => {
    expect(read('--detach', 'true')).toEqual({ detach: true, _: ['true'] })
    expect(read('--detach=false', 'x')).toEqual({ detach: false, _: ['x'] })
  })

  it('takes a value that begins with a dash', () => {
    expect(read('--bundle', '-x', 'id')).toEqual({ bundle: '-x', _: ['id'] })
  })

  it('keeps numbers as text and lets the last option win', () => {
    expect(read('007', '1e3')).toEqual({ _: ['007', '1e3'] })
    expect(read('--bundle=a', '--bundle=b')).toEqual({ bundle: 'b', _: [] })
  })

  it('ends options at --', () => {
    expect(read('-d', '--', '--keep', '-')).toEqual({ detach: true, _: ['--keep', '-'] })
  })

  it.each([
    ['--foo', 'unknown option --foo'],
    ['--foo=1', 'unknown option --foo'],
    ['-x', 'unknown option -x'],
    ['--toString', 'unknown option --toString'],
    ['--bundle', '--bundle needs a value'],
    ['--detach=maybe', 'invalid value "maybe" of --detach: it is a switch'],
    ['--format=xml', 'invalid value "xml" of --format: one of table, json'],
  ])('refuses %s', (word, message) => {
    expect(() => read(word)).toThrow(new UsageError(message))
  })

  it('stops before the verb', () => {
    const argv = ['--root', '/r', '--debug', 'run', '--debug=false', 'id']
    const { values, end } = parse(argv, GLOBAL_OPTIONS, true)
    expect(values).toEqual({ root: '/r', debug: true })
    expect(argv[end]).toBe('run')
    expect(globalValues(values)).toMatchObject({ root: '/r', debug: true, log: undefined, 'systemd-cgroup': false })
  })
})
