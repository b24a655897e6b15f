import type { Findings } from './report'
import { ALL_VERBS } from './scenarios'

const MEASURES = ['run', 'run with seccomp', ALL_VERBS, 'exec', 'run, 8 at once', 'run, 32 at once'] as const
const COLOURS: Readonly<Record<string, string>> = {
  floor: '#9aa0a6',
  crun: '#e8a33d',
  runc: '#c8553d',
  tsrunc: '#2f7ebc',
  'tsrunc-kept': '#6aa5d6',
  'tsrunc-cold': '#9cc4e4',
}
const [LABELS, BARS, FIGURES, LINE, GAP] = [120, 480, 90, 18, 34]

interface Bar {
  readonly name: string
  readonly milliseconds: number
}

/** Medians as bars, a group a measure and each group with a scale of its own: SVG. */
export function picture({ participants, results }: Findings): string {
  const parts: string[] = []
  let y = GAP
  for (const measure of MEASURES) {
    const byParticipant = results.times.get(measure)
    const bars = participants.flatMap(({ name }): readonly Bar[] => {
      const found = byParticipant?.get(name)
      return found === undefined ? [] : [{ name, milliseconds: found.wall.p50 / 1000 }]
    })
    if (bars.length === 0) continue
    parts.push(`<text x="${LABELS}" y="${y - 8}" font-weight="bold">${measure}, p50</text>`)
    const most = Math.max(...bars.map(({ milliseconds }) => milliseconds))
    for (const bar of bars) {
      parts.push(drawn(bar, most, y))
      y += LINE
    }
    y += GAP
  }
  const width = LABELS + BARS + FIGURES
  const style = 'font-family="sans-serif" font-size="12" fill="#333"'
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" ${style}>`
  return [head, `<rect width="${width}" height="${y}" fill="#fff"/>`, ...parts, '</svg>', ''].join('\n')
}

function drawn({ name, milliseconds }: Bar, most: number, y: number): string {
  const length = Math.max(1, Math.round((BARS * milliseconds) / most))
  return [
    `<text x="${LABELS - 8}" y="${y + 12}" text-anchor="end">${name}</text>`,
    `<rect x="${LABELS}" y="${y + 2}" width="${length}" height="${LINE - 5}" fill="${COLOURS[name] ?? '#777'}"/>`,
    `<text x="${LABELS + length + 6}" y="${y + 12}">${milliseconds.toFixed(1)} ms</text>`,
  ].join('')
}
