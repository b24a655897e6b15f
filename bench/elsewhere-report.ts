import { GOALS_HEAD, goalRows } from './goals'
import { besideNeighbours } from './neighbours'
import { type Row, table } from './report'
import { FLOOR, type Participant, WARM } from './runtimes'
import type { Summary } from './stats'

export const ELSEWHERE_TITLE = '## Elsewhere'

/** What `npm run bench -- --json` prints, as far as it is looked at here. */
export interface Report {
  readonly host: { readonly kernel: string; readonly cgroups: string; readonly load: number }
  readonly participants: readonly Pick<Participant, 'name' | 'version'>[]
  readonly times: Readonly<Record<string, Readonly<Record<string, { readonly wall: Summary }>>>>
  readonly failures: readonly string[]
}

export interface Place {
  readonly title: string
  readonly report: Report
}

const MEASURES = [
  ...[
    'run',
    'run, quiet',
    'run with seccomp',
    'the five together',
    'exec',
    'run, 1 at once',
    'run, 8 at once',
    'run, 32 at once',
  ],
  ...[besideNeighbours(0), besideNeighbours(1000)],
]
const REFERENCES = ['floor', 'crun', 'runc'] as const
const OURS = ['tsrunc', 'tsrunc-kept', 'tsrunc-cold'] as const
const NONE = '–'

const ms = (microseconds: number): string => (microseconds / 1000).toFixed(2)

function rowsOf(place: Place): readonly Row[] {
  const { times } = place.report
  return MEASURES.flatMap((measure) =>
    OURS.filter((who) => place.report.times[measure]?.[who] !== undefined).map((who) => {
      const own = times[measure]?.[who]?.wall.p50
      const ratios = REFERENCES.map((reference) => {
        const other = times[measure]?.[reference]?.wall.p50
        return own === undefined || other === undefined ? NONE : (own / other).toFixed(2)
      })
      return [measure, who, own === undefined ? 'failed' : ms(own), ...ratios]
    }),
  )
}

/** How much longer what stays beside a thousand takes, and the kernel's own part of that. */
function neighboursLine({ report: { times } }: Place): string {
  const ratioOf = (who: string): string | undefined => {
    const [alone, beside] = [0, 1000].map((count) => times[besideNeighbours(count)]?.[who]?.wall.p50)
    return alone === undefined || beside === undefined ? undefined : (beside / alone).toFixed(2)
  }
  const [own, floor] = [ratioOf(WARM), ratioOf(FLOOR)]
  if (own === undefined) return ''
  const kernel = floor === undefined ? '' : ` The floor, which makes nothing that stays, takes ${floor} ×.`
  return `\n\`create\` of tsrunc beside 1,000 neighbours takes ${own} × what it takes without any.${kernel}\n`
}

function placeSection(place: Place): string {
  const { host, participants, failures } = place.report
  const versions = participants
    .filter(({ name }) => name === 'crun' || name === 'runc')
    .map(({ name, version }) => `${name} ${version}`)
    .join(', ')
  const head = ['what', 'who', 'p50 ms', ...REFERENCES.map((name) => `÷ ${name}`)]
  const goals = goalRows((measure, who) => place.report.times[measure]?.[who]?.wall.p50)
  const failed = failures.map((failure) => `- failed: ${failure.replaceAll(/\s+/g, ' ')}`)
  return `### ${place.title[0]?.toUpperCase()}${place.title.slice(1)}

Linux ${host.kernel}, ${host.cgroups}; ${versions}; load before ${host.load.toFixed(2)}.

${table(head, rowsOf(place))}
${neighboursLine(place)}
${table(GOALS_HEAD, goals)}
${failed.length === 0 ? '' : `\n${failed.join('\n')}\n`}`
}

/** As a section of Markdown. */
export function elsewhereReport(places: readonly Place[], runs: string): string {
  return `${ELSEWHERE_TITLE}

\`npx tsx bench/elsewhere.ts ${runs}\`: everybody in each round, as above. The virtual machine is emulated, without the processor's help:
its times are to be compared with each other only, and each system call and page fault is many times dearer there.

${places.map(placeSection).join('\n')}`
}
