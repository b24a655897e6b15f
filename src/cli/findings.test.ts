import { describe, expect, test } from 'vitest'
import { validateConfig } from '../container/validate'
import { findingsAsJson, findingsAsText } from './findings'

const validate = (text: string) => validateConfig(Buffer.from(text))
const asText = (text: string, isTerminal = false) => findingsAsText('config.json', validate(text), isTerminal)

const START = '{"ociVersion": "1.0.0", "root": {"path": "r"}'

describe('findingsAsText', () => {
  test('is the line, a mark, what to do, the section and the rule', () => {
    expect(asText(`${START},\n\t"process": {"cwd": "/", "args": "sh"}}`)).toBe(
      [
        'config.json:2:34: error: /process/args: must be an array, not "sh"',
        '  2 |  "process": {"cwd": "/", "args": "sh"}}',
        '    |                                  ^^^^',
        '    = help: write ["sh"]',
        '    = config.md "Process" [type]',
        '',
        'config.json: 1 error',
        '',
      ].join('\n'),
    )
  })

  test('counts', () => {
    const warning = '"unknown": 1'
    expect(asText(`${START}}`)).toBe('config.json: valid\n')
    expect(asText(`${START}, ${warning}}`)).toMatch(/\nconfig\.json: valid, 1 warning\n$/)
    expect(asText(`{"a": 1, ${warning}}`)).toMatch(/\nconfig\.json: 2 errors, 2 warnings\n$/)
  })

  test('cuts long lines around the place', () => {
    const long = `${START}, "annotations": {"a": "${'x'.repeat(5000)}", "b": 5, "c": "${'y'.repeat(5000)}"}}`
    const [, excerpt = '', mark = ''] = asText(long).split('\n')
    expect(excerpt).toHaveLength('  1 | …'.length + 100 + '…'.length)
    expect(excerpt[mark.indexOf('^')]).toBe('5')
  })

  test('the end of the text', () => {
    const [head, excerpt, mark] = asText('{"a": ').split('\n')
    expect([head, excerpt, mark]).toEqual([
      'config.json:1:7: error: expected a value, but the text ends',
      '  1 | {"a": ',
      '    |       ^',
    ])
    expect(asText('').split('\n')[0]).toBe('config.json:1:1: error: the file is empty')
  })

  test('gives a terminal no orders but its own colours', () => {
    const hostile = `${START}, "annotations": {"a\\u001b[2J": 5, "\u202eb": 6, "\u009b2J": 7}}`
    const plain = asText(hostile)
    expect(plain.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(plain.split('\n')[0]).toContain('/annotations/a\ufffd[2J: must be a string')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences are what is looked for
    expect(asText(hostile, true).replace(/\u001b\[[\d;]+m/g, '')).toBe(plain)
  })
})

test('findingsAsJson keeps errors and warnings apart', () => {
  const report: unknown = JSON.parse(
    findingsAsJson('-', validate('{"ociVersion": 5, "root": {"path": "r"}, "vm": {}}')),
  )
  expect(report).toEqual({
    file: '-',
    valid: false,
    errors: [
      {
        rule: 'type',
        pointer: '/ociVersion',
        line: 1,
        column: 16,
        message: 'must be a string, not 5',
        suggestion: 'write "5", in quotes',
        section: 'config.md "Specification version"',
      },
    ],
    warnings: [
      {
        rule: 'other-platform',
        pointer: '/vm',
        line: 1,
        column: 42,
        message: 'is for another platform than Linux, and is ignored',
        section: 'config.md',
      },
    ],
  })
})
