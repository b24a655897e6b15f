import { quote, TsruncError } from '../errors'
import type { PlanOptions } from '../host/facts'
import type { Process, Spec } from '../spec/types'
import { ANNOTATIONS, pathAnnotation } from './annotations'
import type { PlanBuilder } from './builder'
import type { Op } from './ops'

/**
 * A terminal needs somebody at its other end: the receiver at the console socket, or the caller of a run in the
 * foreground. Errors: CONSOLE_SOCKET, with runc's wording.
 */
export function checkConsole(
  spec: Spec,
  { detach, consoleSocket }: Pick<PlanOptions, 'detach' | 'consoleSocket'>,
): void {
  const terminal = spec.process?.terminal === true
  const pointer = '/process/terminal'
  if (terminal && detach && consoleSocket === undefined) {
    throw new TsruncError(
      'CONSOLE_SOCKET',
      'cannot allocate tty if tsrunc will detach without setting console socket',
      {
        pointer,
      },
    )
  }
  if (consoleSocket !== undefined && !(terminal && detach)) {
    throw new TsruncError('CONSOLE_SOCKET', 'cannot use console socket if tsrunc will not detach or allocate tty', {
      pointer,
    })
  }
}

/** config.md "terminal", "consoleSize". `ofInit`: it is the container's console, not that of one more process. */
export function planConsole({ init }: PlanBuilder, process: Process, ofInit: boolean): void {
  if (process.terminal !== true) return
  const { height = 0, width = 0 } = process.consoleSize ?? {}
  init.push({
    kind: 'openConsole',
    pointer: '/process/terminal',
    what: 'open the terminal',
    rows: Number(height),
    columns: Number(width),
    uid: process.user?.uid ?? 0,
    ofInit,
  })
}

/** Without a console socket the launcher takes the master, for a run in the foreground. */
export function planSendConsole({ create, options }: PlanBuilder): void {
  if (options.consoleSocket === undefined) return
  const what = 'send the terminal to the console socket'
  create.push({ kind: 'sendConsole', pointer: '/process/terminal', what, socket: options.consoleSocket })
}

const sendPidfd = (socket: string, pointer: string): Op => ({
  kind: 'sendPidfd',
  pointer,
  what: `send a pidfd to ${quote(socket)}`,
  socket,
})

/** --pidfd-socket: who supervises gets a pidfd of the process. */
export function planSendPidfd({ create, options }: PlanBuilder): void {
  if (options.pidfdSocket !== undefined) create.push(sendPidfd(options.pidfdSocket, ''))
}

/** crun's annotation asks for the same. Errors: ANNOTATION. */
export function planPidfdReceiver({ create, spec }: PlanBuilder): void {
  const receiver = pathAnnotation(spec, ANNOTATIONS.pidfdReceiver)
  if (receiver === undefined) return
  create.push(sendPidfd(receiver.path, receiver.pointer))
}
