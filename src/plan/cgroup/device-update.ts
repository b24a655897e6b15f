import type { Op } from '../ops'
import { CHECKS, UNDO } from './read-back'
import type { Setting } from './setting'

/** What devices.list says where everything is allowed; exceptions from that are not shown. */
const ALLOW_ALL = 'a *:* rwm'

/** "TYPE MAJOR:MINOR" → letters, of lines as in "c 1:3 rwm". */
function accessByNumbers(lines: readonly string[]): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  for (const line of lines) {
    const at = line.lastIndexOf(' ')
    if (at > 0) out.set(line.slice(0, at), line.slice(at + 1))
  }
  return out
}

const without = (letters: string, others: string): string =>
  [...letters].filter((letter) => !others.includes(letter)).join('')

/**
 * The writes that lead from the list in force to the one of deviceListV1(), with what undoes each. Where both deny by
 * default only what differs is written, so that a device which stays allowed is allowed all the time.
 *
 * @param now content of devices.list
 */
export function deviceUpdateV1(list: readonly Setting[], now: string, directory: string): readonly Op[] {
  const [whole, ...exceptions] = list
  if (whole === undefined) return []
  const lines = now.split('\n').filter((line) => line !== '')
  const write = (file: string, value: string, undoFile: string, undoValue: string, { pointer, what }: Setting): Op => ({
    kind: 'setCgroupLimit',
    pointer,
    what,
    files: [`${directory}/${file}`],
    values: [value],
    ifAny: false,
    check: CHECKS.none,
    least: 0n,
    most: 0n,
    key: `${directory}/${undoFile}`,
    texts: [''],
    advice: '',
    undo: UNDO.given,
    absent: undoValue,
  })
  const opposite = (file: string): string => (file === 'devices.allow' ? 'devices.deny' : 'devices.allow')
  const allowsAll = lines.includes(ALLOW_ALL)
  if (allowsAll || whole.file === 'devices.allow') {
    // Undone last first: the default as it was, and then what was allowed beside it, which to allow now changes nothing.
    const kept = allowsAll ? [] : lines.map((line) => write('devices.allow', line, 'devices.allow', line, whole))
    const undo = allowsAll ? 'devices.allow' : 'devices.deny'
    return [
      ...kept,
      write(whole.file, whole.value, undo, 'a', whole),
      ...exceptions.map((setting) =>
        write(setting.file, setting.value, opposite(setting.file), setting.value, setting),
      ),
    ]
  }
  const wanted = accessByNumbers(exceptions.map(({ value }) => value))
  const has = accessByNumbers(lines)
  const settingOf = (numbers: string): Setting =>
    exceptions.find(({ value }) => value.startsWith(`${numbers} `)) ?? whole
  const added = [...wanted].flatMap(([numbers, access]) => {
    const value = `${numbers} ${without(access, has.get(numbers) ?? '')}`
    return value.endsWith(' ') ? [] : [write('devices.allow', value, 'devices.deny', value, settingOf(numbers))]
  })
  const removed = [...has].flatMap(([numbers, access]) => {
    const value = `${numbers} ${without(access, wanted.get(numbers) ?? '')}`
    return value.endsWith(' ') ? [] : [write('devices.deny', value, 'devices.allow', value, settingOf(numbers))]
  })
  return [...added, ...removed]
}
