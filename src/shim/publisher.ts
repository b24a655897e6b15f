/**
 * Events on their way to containerd, in the order in which they happened, each until containerd has taken it: containerd's own
 * restart loses none of the last MOST.
 */
import { Client } from './client'
import { EVENTS, ForwardRequest, type Topic } from './messages'
import { timestampOf } from './time'
import { encode, type Message } from './wire'

export type EventOf<T extends Topic> = Partial<Message<(typeof EVENTS)[T]['table']>>

interface Waiting {
  readonly topic: Topic
  readonly request: Uint8Array
  readonly taken: () => void
}

const SERVICE = 'containerd.services.events.ttrpc.v1.Events'
const MOST = 4096
const MILLISECONDS = 5000
const FIRST_PAUSE = 50
const MOST_PAUSE = 2000

export class Publisher {
  readonly #address: string
  readonly #namespace: string
  #queue: Waiting[] = []
  #client: Client | undefined
  #working = false

  constructor(address: string, namespace: string) {
    this.#address = address
    this.#namespace = namespace
  }

  /** `taken`: called once containerd has it. */
  publish<T extends Topic>(topic: T, event: EventOf<T>, taken: () => void = () => undefined): void {
    const { type, table } = EVENTS[topic]
    const envelope = {
      timestamp: timestampOf(new Date().toISOString()),
      namespace: this.#namespace,
      topic,
      event: { type_url: type, value: encode(table, event as EventOf<Topic>) },
    }
    this.#queue.push({ topic, request: encode(ForwardRequest, { envelope }), taken })
    if (this.#queue.length > MOST) {
      const lost = this.#queue.shift()
      process.stderr.write(`containerd takes no events: ${lost?.topic} is lost\n`)
    }
    if (this.#address !== '' && !this.#working)
      this.#work().catch((error: Error) => process.stderr.write(`${error.stack}\n`))
  }

  async #work(): Promise<void> {
    this.#working = true
    let pause = FIRST_PAUSE
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      try {
        await this.#send(next)
        if (this.#queue[0] === next) this.#queue.shift()
        next.taken()
        pause = FIRST_PAUSE
      } catch (error) {
        if (pause === FIRST_PAUSE)
          process.stderr.write(`forward ${next.topic}: ${(error as Error).message}; tried again\n`)
        await new Promise((resolve) => setTimeout(resolve, pause))
        pause = Math.min(2 * pause, MOST_PAUSE)
      }
    }
    this.#working = false
  }

  async #send({ request }: Waiting): Promise<void> {
    if (this.#client === undefined || this.#client.closed) this.#client = new Client(this.#address)
    const metadata = { 'containerd-namespace-ttrpc': this.#namespace }
    try {
      await this.#client.call(SERVICE, 'Forward', request, { timeout: MILLISECONDS, metadata })
    } catch (error) {
      this.#client.close()
      this.#client = undefined
      throw error
    }
  }
}
