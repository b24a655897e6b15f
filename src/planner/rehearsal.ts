/**
 * Plans that nobody has asked for. V8 compiles a function when it is called first, and well when it has been called often: the
 * first plan of a process takes ten times as long as the hundredth. So a planner that has just begun, and has nothing to do, plans a
 * container that looks like those of engines, until it has done it often.
 */
import type { Installation } from './installation'
import { encodeRequest } from './protocol'

/** Behind this many plans the next one takes hardly less; V8 compiles again at about the ninetieth. */
const MOST_PLANS = 200
/** Of the processor's time, on however slow a host. */
const MOST_MILLISECONDS = 500
/** Whoever left the planner behind is making a container itself. */
const FIRST_PAUSE = 150
/** Long enough for a caller to be heard in between. */
const PAUSE = 1
/** A caller that is planned for, or has just been, has the processor. */
const QUIET = 20

const BUNDLE = '/rehearsed'

/** Calls as the planner itself would make them, in the forms that engines use. `config`: config.json. */
export function rehearsedMessages(config: Uint8Array, { executable, bundle }: Installation): readonly Buffer[] {
  const commands = [
    ['create', '--bundle', BUNDLE, '--pid-file', `${BUNDLE}/pid`, 'rehearsed'],
    ['--root', '/rehearsed', '--log', '/rehearsed/log', '--log-format', 'json', 'run', '-b', BUNDLE, 'rehearsed'],
  ]
  return commands.map((argv) =>
    encodeRequest(
      { executable, bundle },
      {
        argv,
        cwd: '/',
        environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        record: `tsrunc-handoff 1\npid ${process.pid}\nfd 0\nfd 1\nfd 2\n`,
        bundle: BUNDLE,
        config,
        answers: [`d${BUNDLE}/rootfs`, `${BUNDLE}/rootfs`],
      },
    ),
  )
}

export class Rehearsal {
  readonly #plan: (message: Buffer) => Promise<unknown>
  /** Milliseconds since somebody was planned for. */
  readonly #quiet: () => number
  readonly #messages: readonly Buffer[]
  #timer: NodeJS.Timeout | undefined
  #plans = 0
  #spent = 0

  constructor(messages: readonly Buffer[], plan: (message: Buffer) => Promise<unknown>, quiet: () => number) {
    this.#messages = messages
    this.#plan = plan
    this.#quiet = quiet
  }

  begin(): void {
    this.#after(FIRST_PAUSE)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#plans = MOST_PLANS
  }

  #after(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      if (this.#quiet() < QUIET) this.#after(QUIET)
      else this.#next().catch(() => this.end())
    }, milliseconds)
    this.#timer.unref()
  }

  async #next(): Promise<void> {
    const begin = performance.now()
    const message = this.#messages[this.#plans % this.#messages.length]
    if (message !== undefined) await this.#plan(message)
    this.#spent += performance.now() - begin
    this.#plans += 1
    if (this.#plans < MOST_PLANS && this.#spent < MOST_MILLISECONDS) this.#after(PAUSE)
  }
}
