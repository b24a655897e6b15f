import { HOST_LINE } from './document'

/** The host that a document's results are of; undefined of a text that is no such document. */
export const hostOf = (document: string): string | undefined =>
  document
    .split('\n')
    .find((line) => line.startsWith(HOST_LINE))
    ?.slice(HOST_LINE.length, -1)

/** The cells of a row, where a bar within a cell is escaped. */
const cellsOf = (row: string): string[] =>
  row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((text) => text.trim())

/**
 * What a document says whatever the host: the rules with the files of the tests that prove them, and the programs of the
 * suite.
 */
export const skeletonOf = (document: string): string[] =>
  document.split(/^(?=##+ )/m).flatMap((section) => {
    const rows = section.split('\n').filter((line) => /^\| [^|]/.test(line))
    const [title = ''] = section.split('\n')
    if (title.startsWith('### ')) {
      const rules = rows.map((row) => {
        const [id, kind, rule, proof = ''] = cellsOf(row)
        return [id, kind, rule, proof.replaceAll(/\u00a0\d+/g, '')].join(' | ')
      })
      return [title, ...rules]
    }
    return title === '## The OCI conformance suite' ? [title, ...programsOf(section, rows)] : []
  })

/** Where a program is named, in the table or in a list, depends on the host. */
const programsOf = (section: string, rows: readonly string[]): string[] => {
  const lists = [...section.matchAll(/^(?:Passed by all three|Not judged, [^:]*): (.*)\.$/gm)].map(
    ([, list = '']) => list,
  )
  const named = rows.map((row) => cellsOf(row)[0] ?? '').filter((name) => /^[a-z_]+$/.test(name) && name !== 'program')
  return [...named, ...lists.flatMap((list) => list.split(', '))].filter((name) => name !== '').sort()
}

/** The lines that only one of two texts has, as diff(1) shows them. */
export const differenceOf = (before: readonly string[], after: readonly string[]): string[] => [
  ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
  ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
]

const HOW = `the tests or the rules have changed since it was generated. After a run of scripts/test, or of the steps of it that
write build/results: npm run conformance, then commit the document with the change.`

/**
 * What is wrong with a document, given the one of these results. Of another host only what has to be the same everywhere is
 * compared: a host that lacks a controller, or has other versions of runc and crun, has other results.
 */
export const staleness = (before: string, after: string): string[] => {
  if (before === after) {
    return []
  }
  const isSameHost = hostOf(before) === hostOf(after)
  const difference = isSameHost
    ? differenceOf(before.split('\n'), after.split('\n'))
    : differenceOf(skeletonOf(before), skeletonOf(after))
  if (difference.length === 0 && !isSameHost) {
    return []
  }
  const shown = difference.slice(0, 40).join('\n')
  return [`docs/SPEC-CONFORMANCE.md is not of these results: ${HOW}\n${shown}`]
}
