import { describe, expect, test } from 'vitest'
import { judge, parseTap } from './tap'

describe('parseTap', () => {
  test('reads results, directives, blocks and the plan', () => {
    const tap = parseTap(
      [
        'TAP version 13',
        'ok 1 - has expected user ID',
        '  ---',
        '  {"expected":"0","stdout":"not ok 1 - inside"}',
        '  ...',
        '# a remark',
        'not ok 2 - broken # TODO we need a device',
        'ok 3 # SKIP process not set',
        'not ok 4',
        '1..4',
      ].join('\n'),
    )
    expect(tap.results).toEqual([
      { passed: true, description: 'has expected user ID', directive: undefined },
      { passed: false, description: 'broken', directive: 'TODO' },
      { passed: true, description: '', directive: 'SKIP' },
      { passed: false, description: '', directive: undefined },
    ])
    expect(tap.plan).toBe(4)
    expect(tap.blocks).toEqual(['{"expected":"0","stdout":"not ok 1 - inside"}'])
  })
})

describe('judge', () => {
  test('a bad result fails, one that is to be done does not', () => {
    expect(judge(0, 'ok 1 - a\nnot ok 2 - b\n1..2', '')).toEqual({ passed: false, why: '1 of 2: b' })
    expect(judge(0, 'ok 1 - a\nnot ok 2 - b # TODO\n1..2', '').passed).toBe(true)
  })

  test('an empty plan passes but for an error', () => {
    expect(judge(0, 'TAP version 13\n1..0', '').passed).toBe(true)
    const failed = 'TAP version 13\n  ---\n  {"error":"exit status 1"}\n  ...\n1..0'
    expect(judge(0, failed, '')).toEqual({ passed: false, why: 'exit status 1' })
  })

  test('a program that prints nothing tells by its status', () => {
    expect(judge(0, '', 'tsrunc create: no\n').passed).toBe(true)
    expect(judge(1, '', '').passed).toBe(false)
  })

  test('two streams are judged together', () => {
    expect(judge(0, 'ok 1 - a\n1..1\nTAP version 13\nok 1 - b\n1..1', '').passed).toBe(true)
    expect(judge(0, 'ok 1 - a\n1..1\nTAP version 13\n1..1', '').passed).toBe(false)
  })

  test('an error beside a result is the one that was expected', () => {
    expect(judge(0, 'ok 1 - refuses\n  ---\n  {"error":"exit status 1"}\n  ...\n1..1', '').passed).toBe(true)
  })

  test('the end of the program before its time fails', () => {
    expect(judge(1, '', 'failed to create the container\nno such file\n')).toEqual({
      passed: false,
      why: 'status 1: no such file',
    })
    expect(judge(0, 'ok 1 - a', '').passed).toBe(false)
    expect(judge(0, 'ok 1 - a\n1..2', '').passed).toBe(false)
  })
})
