import { readFileSync } from 'node:fs'

interface Entry {
  readonly level: string
  readonly msg: string
}

/** One line of the text format: `time="…" level=error msg="…"`, the values as Go quotes strings. */
const textEntry = (line: string): Entry => {
  const [, level = '', value = ''] = /\blevel=(\w+) msg=("(?:[^"\\]|\\.)*"|\S+)/.exec(line) ?? []
  return { level, msg: value.startsWith('"') ? (JSON.parse(value) as string) : value }
}

const jsonEntry = (line: string): Entry => JSON.parse(line) as Entry

/**
 * The message that an engine shows to a person: containerd's shim and Podman read the last entry of level error.
 *
 * @throws Error when the file has none
 */
export const lastError = (path: string, format: 'text' | 'json'): string => {
  const text = readFileSync(path, 'utf8')
  const entries = text
    .split('\n')
    .filter((line) => line !== '')
    .map(format === 'json' ? jsonEntry : textEntry)
  const last = entries.findLast((entry) => entry.level === 'error')
  if (last === undefined) {
    throw new Error(`no entry of level error:\n${text}`)
  }
  return last.msg
}

/** The status that dockerd makes of the runtime's message: moby, daemon/errors.go, which folds its case before it searches. */
export const dockerStatus = (message: string): 125 | 126 | 127 => {
  const words = message.toLowerCase()
  if (words.includes('executable file not found') || words.includes('no such file or directory')) {
    return 127
  }
  return words.includes('permission denied') || words.includes('is a directory') ? 126 : 125
}
