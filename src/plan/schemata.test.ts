import { expect, test } from 'vitest'
import { firstMismatch } from './schemata'

const FILE = '    L3:0=00ff;1=0ff0\n    MB:0= 20;1=100\nL3CODE:0=3\n'

test.each([[[]], [['L3:0=ff;1=ff0']], [['L3:1=0x0ff0']], [['MB:0=20', 'L3:0=FF']], [['L3CODE: 0 = 3']]])(
  '%j is in force',
  (lines) => {
    expect(firstMismatch(lines, FILE)).toBeUndefined()
  },
)

test.each([
  [['L3:0=ff', 'L3:1=f0'], 'L3:1=f0'],
  [['MB:0=0x14'], 'MB:0=0x14'],
  [['L3:2=1'], 'L3:2=1'],
  [['L2:0=ff'], 'L2:0=ff'],
  [['L3'], 'L3'],
  [['L3:0=ff;'], 'L3:0=ff;'],
  [['L3:0='], 'L3:0='],
])('%j is not', (lines, line) => {
  expect(firstMismatch(lines, FILE)).toBe(line)
})
