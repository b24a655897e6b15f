import { spawn } from 'node:child_process'
import { ptyTool } from './programs'
import { runtimeEnvironment, sandbox, scratch, uniqueName } from './sandbox'
import { eventually } from './spawn'

/** The far end of a pseudo terminal, of a console socket or of a program that runs on one. */
export interface Terminal {
  /** The path of the console socket; empty for a program. */
  readonly socket: string
  /** What appeared on the terminal so far. */
  readonly output: () => string
  readonly received: () => Promise<string>
  /** Waits for output. */
  readonly sees: (pattern: RegExp) => Promise<string>
  readonly type: (text: string) => void
  readonly resize: (rows: number, columns: number) => void
  readonly size: () => Promise<{ rows: number; columns: number }>
  readonly closed: () => Promise<void>
  /** The status of a program. */
  readonly exited: () => Promise<number>
  readonly close: () => void
}

const attach = (args: readonly string[], socket: string, env: Record<string, string>): Terminal => {
  const child = spawn(ptyTool(), [...args], { stdio: ['pipe', 'pipe', 'inherit'], env })
  sandbox().children.add(child)
  const lines: string[] = []
  let pending = ''
  child.stdout.on('data', (data: Buffer) => {
    const parts = (pending + data.toString('latin1')).split('\n')
    pending = parts.pop() ?? ''
    lines.push(...parts)
  })
  child.stdin.on('error', () => undefined)
  const send = (line: string): void => {
    child.stdin.write(`${line}\n`)
  }
  const found = (prefix: string) => () => lines.find((line) => line.startsWith(prefix))
  const output = (): string =>
    lines
      .filter((line) => line.startsWith('O '))
      .map((line) => Buffer.from(line.slice(2), 'hex').toString('utf8'))
      .join('')
  return {
    socket,
    output,
    received: async () => {
      const line = await eventually('a descriptor on the console socket', found('F'))
      return Buffer.from(line.slice(2), 'hex').toString('utf8')
    },
    sees: (pattern) =>
      eventually(`${pattern} on the terminal`, () => pattern.exec(output())?.[0]).catch((error: Error) => {
        throw new Error(`${error.message}; it shows: ${output()}`)
      }),
    type: (text) => send(`w ${Buffer.from(text).toString('hex')}`),
    resize: (rows, columns) => send(`r ${rows} ${columns}`),
    size: async () => {
      const before = lines.filter((line) => line.startsWith('S ')).length
      send('s')
      const line = await eventually('the size', () => lines.filter((entry) => entry.startsWith('S '))[before])
      const [, rows, columns] = line.split(' ')
      return { rows: Number(rows), columns: Number(columns) }
    },
    closed: async () => {
      await eventually('the end of the terminal', found('H'))
    },
    exited: async () => Number((await eventually('the end of the program', found('X '), 15_000)).slice(2)),
    close: () => send('c'),
  }
}

/** Listens on a console socket, as an engine does. */
export const consoleSocket = async (): Promise<Terminal> => {
  const socket = scratch(`${uniqueName().slice(-3)}.sock`)
  const terminal = attach(['listen', socket], socket, runtimeEnvironment())
  const { existsSync } = await import('node:fs')
  await eventually('the console socket', () => existsSync(socket))
  return terminal
}

/** Runs a program on a terminal of its own, as a person does. */
export const onTerminal = (command: readonly string[], rows = 24, columns = 80): Terminal =>
  attach(['run', String(rows), String(columns), ...command], '', runtimeEnvironment())
