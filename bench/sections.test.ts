import { expect, test } from 'vitest'
import { replaceSection, sectionsBehind } from './sections'

const REPORT = '# Report\n\n## One\n\n1\n\n## Two\n\n2\n'

test('a section replaces the one of its title, and no other', () => {
  expect(replaceSection(REPORT, '## One', '## One\n\nnew\n')).toBe('# Report\n\n## One\n\nnew\n\n## Two\n\n2\n')
  expect(replaceSection(REPORT, '## Two', '## Two\n\nnew\n')).toBe('# Report\n\n## One\n\n1\n\n## Two\n\nnew\n')
})

test('a new section comes last', () => {
  expect(replaceSection(REPORT, '## Three', '## Three\n')).toBe(`${REPORT}\n## Three\n`)
})

test('sections behind the last of several', () => {
  expect(sectionsBehind(REPORT, ['## None', '## One'])).toBe('\n## Two\n\n2\n')
  expect(sectionsBehind(REPORT, ['## Two'])).toBe('')
})
