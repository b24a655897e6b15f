/** What one `run` does, counted: system calls by strace(1), page faults by the kernel (getrusage(2)). */
import { readFileSync, rmSync } from 'node:fs'
import type { Runtime } from './runtimes'
import { FLOOR } from './runtimes'
import { type Bench, verb } from './scenarios'
import { quantile } from './stats'

/** Calls of one run and of all that it starts, by name, and the bytes that went through reading and writing ones. */
export interface Calls {
  readonly byName: ReadonlyMap<string, number>
  readonly bytes: number
}

const KINDS: Readonly<Record<string, readonly string[]>> = {
  'calls about mounts': [
    'mount',
    'umount2',
    'fsopen',
    'fsconfig',
    'fsmount',
    'open_tree',
    'move_mount',
    'mount_setattr',
    'pivot_root',
  ],
  opens: ['open', 'openat', 'openat2', 'creat'],
  'forks and clones': ['fork', 'vfork', 'clone', 'clone3'],
  execs: ['execve', 'execveat'],
}
const COPYING = new Set(
  ['read', 'pread64', 'readv', 'recvfrom', 'recvmsg', 'write', 'pwrite64', 'writev', 'sendto', 'sendmsg'].concat(
    'sendfile',
    'copy_file_range',
    'splice',
  ),
)

/** A line of `strace -f`: its beginning, or the end of one that another process has interrupted. */
const LINE = /^\d+ +(?:<\.\.\. (?<resumed>\w+) resumed>|(?<name>\w+)\()/
const RESULT = / = (?<result>\d+)(?: |$)/

/** @param text what `strace -f -o FILE` wrote */
export function callsOf(text: string): Calls {
  const byName = new Map<string, number>()
  let bytes = 0
  for (const line of text.split('\n')) {
    const { name, resumed } = LINE.exec(line)?.groups ?? {}
    if (name !== undefined) byName.set(name, (byName.get(name) ?? 0) + 1)
    const whole = name ?? resumed ?? ''
    if (COPYING.has(whole)) bytes += Number(RESULT.exec(line)?.groups?.['result'] ?? 0)
  }
  return { byName, bytes }
}

const total = ({ byName }: Calls, names: Iterable<string> = byName.keys()): number =>
  [...names].reduce((sum, name) => sum + (byName.get(name) ?? 0), 0)

const HEAD = ['who', 'system calls', ...Object.keys(KINDS), 'KiB read and written', 'page faults']

/** Page faults of untraced runs differ a little. */
const ROUNDS = 9

async function countsOf(bench: Bench, participant: Runtime): Promise<readonly string[]> {
  const { stopwatch, workplace } = bench
  const argv =
    participant.name === FLOOR
      ? [participant.path, workplace.rootfs, '/bin/true']
      : verb(bench, participant, 'run', '--bundle', workplace.bundle(participant, 'true'), workplace.id(participant))
  const faults: number[] = []
  for (let round = 0; round < ROUNDS; ++round) faults.push((await stopwatch.run(argv)).faults)
  const file = workplace.file('strace')
  await stopwatch.run(['/usr/bin/strace', '-f', '-e', 'signal=none', '-o', file, ...argv])
  const calls = callsOf(readFileSync(file, 'utf8'))
  rmSync(file)
  const numbers = [total(calls), ...Object.values(KINDS).map((names) => total(calls, names))]
  const rest = [(calls.bytes / 1024).toFixed(1), String(quantile(faults, 0.5))]
  return [participant.name, ...numbers.map(String), ...rest]
}

export const COUNTS_TITLE = '## What one `run` does'

/** As a section of Markdown. @throws Error where strace is not there. */
export async function countReport(bench: Bench, participants: readonly Runtime[]): Promise<string> {
  const rows: (readonly string[])[] = [HEAD, HEAD.map(() => '---')]
  for (const participant of participants) rows.push(await countsOf(bench, participant))
  const table = rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
  return `${COUNTS_TITLE}

\`run /bin/true\`, the configuration of \`spec\`, counted once by strace (\`npm run bench -- --count\`), in all processes of the call; page
faults are the median of ${ROUNDS} runs without it. What a planner does for a call is not in it.

${table}
`
}
