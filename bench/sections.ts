/** Puts a section, which begins with its title, into a report: in the place of an older one, else at the end. */
export function replaceSection(text: string, title: string, section: string): string {
  const begin = text.indexOf(`\n${title}\n`)
  if (begin < 0) return `${text.trimEnd()}\n\n${section}`
  const next = text.indexOf('\n## ', begin + 1)
  return `${text.slice(0, begin)}\n${section}${next < 0 ? '' : text.slice(next)}`
}

/** The sections of a report that stand behind the last of those with these titles. */
export function sectionsBehind(text: string, titles: readonly string[]): string {
  const last = Math.max(...titles.map((title) => text.indexOf(`\n${title}\n`)))
  const next = last < 0 ? -1 : text.indexOf('\n## ', last + 1)
  return next < 0 ? '' : text.slice(next)
}
