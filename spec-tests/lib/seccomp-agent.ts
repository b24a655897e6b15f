import { spawn } from 'node:child_process'
import { seccompAgentTool } from './programs'
import { runtimeEnvironment, sandbox, scratch, uniqueName } from './sandbox'
import { eventually } from './spawn'

/** What one connection brought. */
export interface ReceivedListener {
  readonly text: string
  readonly state: ContainerProcessState
  /** Descriptors that came with the first bytes, and with all of them. */
  readonly firstDescriptors: number
  readonly descriptors: number
}

/** config-linux.md "The Container Process State". */
export interface ContainerProcessState {
  readonly ociVersion: string
  readonly fds: readonly string[]
  readonly pid: number
  readonly metadata?: string
  readonly state: {
    readonly ociVersion: string
    readonly id: string
    readonly status: string
    readonly pid: number
    readonly bundle: string
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export interface Notification {
  readonly number: number
  readonly pid: number
  readonly firstArgument: string
}

/** The receiving end of seccomp listeners, which answers their notifications. */
export interface SeccompAgent {
  readonly socket: string
  /** Every connection that has ended, in that order. */
  readonly received: () => readonly ReceivedListener[]
  readonly receives: () => Promise<ReceivedListener>
  readonly notifications: () => readonly Notification[]
  /** Waits until the process of a listener is gone. */
  readonly hungUp: () => Promise<void>
}

const decode = (line: string): ReceivedListener => {
  const [, first, all, hex = ''] = line.split(' ')
  const text = Buffer.from(hex, 'hex').toString('utf8')
  const state = JSON.parse(text) as ContainerProcessState
  return { text, state, firstDescriptors: Number(first), descriptors: Number(all) }
}

/**
 * Listens and does not do what an agent does: `silent=N` takes listeners and answers N times, `deaf` has a full queue of
 * connections and accepts none.
 */
export const hostileAgent = async (manner: `silent=${number}` | 'deaf'): Promise<string> => {
  const socket = scratch(`${uniqueName().slice(-3)}.sock`)
  const child = spawn(seccompAgentTool(), [socket, manner], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: runtimeEnvironment(),
  })
  sandbox().children.add(child)
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString('latin1')
  })
  await eventually('the hostile agent', () => output.startsWith('L'), 20_000)
  return socket
}

/**
 * Listens as a seccomp agent does. Notified calls go on.
 *
 * @param errors errno by system call number of this machine, for calls that shall fail instead; 0: return 0 without a call
 */
export const seccompAgent = async (
  errors: Readonly<Record<number, number>> = {},
  socket: string = scratch(`${uniqueName().slice(-3)}.sock`),
): Promise<SeccompAgent> => {
  const answers = Object.entries(errors).map(([number, error]) => `${number}=${error}`)
  const child = spawn(seccompAgentTool(), [socket, ...answers], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: runtimeEnvironment(),
  })
  sandbox().children.add(child)
  const lines: string[] = []
  let pending = ''
  child.stdout.on('data', (data: Buffer) => {
    const parts = (pending + data.toString('latin1')).split('\n')
    pending = parts.pop() ?? ''
    lines.push(...parts)
  })
  const all = (prefix: string): string[] => lines.filter((line) => line.startsWith(prefix))
  await eventually('the seccomp agent', () => lines.includes('L'))
  return {
    socket,
    received: () => all('M ').map(decode),
    receives: async () => decode(await eventually('a seccomp listener', () => all('M ')[0])),
    notifications: () =>
      all('N ').map((line) => {
        const [, number, pid, firstArgument = ''] = line.split(' ')
        return { number: Number(number), pid: Number(pid), firstArgument }
      }),
    hungUp: async () => {
      await eventually('the end of a listener', () => lines.includes('H'))
    },
  }
}
