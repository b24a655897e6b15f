/**
 * Plans that nobody has asked for. V8 compiles a function when it is called first, and well when it has been called often: the
 * first plan of a process takes ten times as long as the hundredth. So a planner that has just begun, and has nothing to do, plans a
 * container that looks like those of engines, until it has done it often.
 */
import type { Request } from './protocol'

/** Behind this many plans the next one takes hardly less. */
const MOST_PLANS = 40
/** Of the processor's time, on however slow a host. */
const MOST_MILLISECONDS = 250
/** Whoever left the planner behind is making a container itself. */
const FIRST_PAUSE = 150
/** Long enough for a caller to be heard in between. */
const PAUSE = 1
/** A caller that is planned for, or has just been, has the processor. */
const QUIET = 20

const BUNDLE = '/rehearsed'

/** A call of the planner itself. `config`: config.json. */
export function rehearsedRequest(config: Uint8Array): Request {
  return {
    argv: ['create', '--bundle', BUNDLE, '--pid-file', `${BUNDLE}/pid`, 'rehearsed'],
    cwd: '/',
    environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    caller: { pid: process.pid, fds: [0, 1, 2] },
    bundle: BUNDLE,
    config,
    answers: new Map([[`d${BUNDLE}/rootfs`, `${BUNDLE}/rootfs`]]),
    saved: undefined,
  }
}

export class Rehearsal {
  readonly #plan: (request: Request) => Promise<unknown>
  /** Milliseconds since somebody was planned for. */
  readonly #quiet: () => number
  readonly #request: Request
  #timer: NodeJS.Timeout | undefined
  #plans = 0
  #spent = 0

  constructor(request: Request, plan: (request: Request) => Promise<unknown>, quiet: () => number) {
    this.#request = request
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
    await this.#plan(this.#request)
    this.#spent += performance.now() - begin
    this.#plans += 1
    if (this.#plans < MOST_PLANS && this.#spent < MOST_MILLISECONDS) this.#after(PAUSE)
  }
}
