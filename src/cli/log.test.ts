import { describe, expect, it } from 'vitest'
import { formatLine, logOf } from './log'
import { globalValues } from './parse'

const TIME = new Date('2026-01-02T03:04:05.678Z')
const MESSAGE = 'tsrunc create: mount "/a": it\'s\nnot there'

describe('formatLine', () => {
  it('writes JSON as engines parse it', () => {
    const line = formatLine({ json: true }, 'error', MESSAGE, TIME)
    expect(line).toBe(
      '{"level":"error","msg":"tsrunc create: mount \\"/a\\": it\'s\\nnot there","time":"2026-01-02T03:04:05Z"}\n',
    )
  })

  it('writes text on one line', () => {
    const line = formatLine({ json: false }, 'warning', MESSAGE, TIME)
    expect(line).toBe(
      'time="2026-01-02T03:04:05Z" level=warning msg="tsrunc create: mount \\"/a\\": it\'s\\nnot there"\n',
    )
  })
})

describe('logOf', () => {
  it('is of warnings on stderr by default', () => {
    expect(logOf(globalValues({}))).toEqual({ file: undefined, json: false, level: 'warning' })
  })

  it('takes FILE and file:FILE; --debug wins', () => {
    expect(logOf(globalValues({ log: '/l', 'log-format': 'json', 'log-level': 'error' }))).toEqual({
      file: '/l',
      json: true,
      level: 'error',
    })
    expect(logOf(globalValues({ log: 'file:/l', debug: true, 'log-level': 'error' }))).toEqual({
      file: '/l',
      json: false,
      level: 'debug',
    })
  })
})
