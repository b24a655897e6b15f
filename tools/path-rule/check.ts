/** The rule of CONTRIBUTING.md "Rules": paths below a container's root, and descriptors that are closed at exec. */
import type { Allowed } from './allowed'
import { isBound, isInherited, NAMES, PATHS } from './calls'
import { callsOf, constantsOf } from './source'

export interface Source {
  /** Below native/. */
  readonly path: string
  readonly text: string
}

const words = (text: string): string[] => text.trim().split(/\s+/)

/** The row that lets `name` be called in this function of this file. */
const rowFor = (rows: readonly Allowed[], path: string, within: string, name: string): Allowed | undefined =>
  rows.find(
    (row) =>
      words(row.files).includes(path) &&
      words(row.calls).includes(name) &&
      (row.in === undefined || words(row.in).includes(within)),
  )

/** In files whose calls may act below a container's root a row has to name functions, not files. */
export const isClose = (path: string): boolean => path.startsWith('engine/init/')

/** What is wrong, a line for each; a row that is not needed is wrong, too. */
export const check = (sources: readonly Source[], rows: readonly Allowed[]): string[] => {
  const used = new Set<string>()
  const wrong = sources.flatMap(({ path, text }) => {
    const constants = constantsOf(text)
    return callsOf(text, NAMES).flatMap((call) => {
      const inherited = isInherited(call, constants)
      const unbound = PATHS.has(call.name) && !path.startsWith('sys/') && !isBound(call, constants)
      const row = inherited || unbound ? rowFor(rows, path, call.within, call.name) : undefined
      if (row !== undefined) {
        used
          .add(`${rows.indexOf(row)} ${path}`)
          .add(`${rows.indexOf(row)} ${call.name}`)
          .add(`${rows.indexOf(row)} in ${call.within}`)
        return []
      }
      const where = `native/${path}:${call.line}: ${call.name} in ${call.within}`
      return [
        ...(inherited ? [`${where}: the descriptor is not closed at exec`] : []),
        ...(unbound && !inherited
          ? [`${where}: takes a path; below a container's root use root_path.h or sys/entry.h`]
          : []),
      ]
    })
  })
  const idle = rows.flatMap((row, index) =>
    [
      ...words(row.files),
      ...words(row.calls),
      ...(row.in === undefined ? [] : words(row.in).map((name) => `in ${name}`)),
    ]
      .filter((word) => !used.has(`${index} ${word}`))
      .map((word) => `tools/path-rule/allowed.ts: nothing needs "${word}" in the row "${row.why}"`),
  )
  const loose = rows
    .filter((row) => row.in === undefined && words(row.files).some(isClose))
    .map((row) => `tools/path-rule/allowed.ts: the row "${row.why}" must name functions`)
  return [...wrong, ...idle, ...loose]
}
