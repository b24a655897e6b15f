import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Client } from './client'
import { ShimError } from './errors'
import { Link } from './link'
import * as m from './messages'
import { Publisher } from './publisher'
import { method, Server } from './server'
import { HEADER, Pieces, readFrame } from './ttrpc'
import { decode, encode } from './wire'

let directory: string
let address: string
const ends: (() => void)[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrunc-shim-'))
  address = join(directory, 'socket')
})

afterEach(() => {
  for (const end of ends.splice(0)) end()
  rmSync(directory, { recursive: true })
})

/** As the keeper does it, for one connection: a number and a kind in front of each frame. */
function keep(client: Socket, resident: Socket): void {
  const take = (skip: number) => (buffer: Buffer) => {
    const frame = buffer.length < skip ? undefined : readFrame(buffer, skip)
    const size = skip + HEADER + (frame?.payload.length ?? 0)
    return frame === undefined ? undefined : { value: buffer.subarray(0, size), size }
  }
  const [requests, answers] = [new Pieces(), new Pieces()]
  client.on('data', (chunk: Buffer) => {
    requests.add(chunk)
    for (const frame of requests.take(take(0))) resident.write(Buffer.concat([Buffer.from([0, 0, 0, 1, 0x46]), frame]))
  })
  resident.on('data', (chunk: Buffer) => {
    answers.add(chunk)
    for (const message of answers.take(take(5))) client.write(message.subarray(5))
  })
  client.on('close', () => resident.destroy())
}

/** A server behind a socket of its own, and a client of it. */
async function serve(service: ConstructorParameters<typeof Server>[1]): Promise<Client> {
  const inner = join(directory, 'inner')
  const resident = createServer((socket) => new Server(new Link(socket), service).serve(() => undefined))
  await new Promise<void>((resolve) => resident.listen(inner, resolve))
  const { connect } = await import('node:net')
  const keeper = createServer((client) => keep(client, connect(inner)))
  await new Promise<void>((resolve) => keeper.listen(address, resolve))
  const client = new Client(`unix://${address}`)
  ends.push(() => {
    client.close()
    keeper.close()
    resident.close()
  })
  return client
}

const request = encode(m.ContainerRequest, { id: 'a' })
const options = { timeout: 30_000 }

describe('requests', () => {
  test('each gets its own answer, whatever the order', async () => {
    const held: (() => void)[] = []
    const client = await serve({
      s: {
        Hold: method(m.ContainerRequest, m.ContainerRequest, async ({ id }) => {
          await new Promise<void>((resolve) => held.push(resolve))
          return { id: `held ${id}` }
        }),
        Now: method(m.ContainerRequest, m.ContainerRequest, async ({ id }) => {
          for (const resolve of held) resolve()
          return { id: `now ${id}` }
        }),
      },
    })
    const first = client.call('s', 'Hold', request, options)
    const second = await client.call('s', 'Now', request, options)
    expect(decode(m.ContainerRequest, second).id).toBe('now a')
    expect(decode(m.ContainerRequest, await first).id).toBe('held a')
  })

  test('errors have codes; what is not there is not implemented', async () => {
    const client = await serve({
      s: {
        Fail: method(m.ContainerRequest, m.Empty, async () => {
          throw new ShimError('notFound', 'no such thing')
        }),
      },
    })
    await expect(client.call('s', 'Fail', request, options)).rejects.toMatchObject({
      code: 5,
      message: 'no such thing',
    })
    await expect(client.call('s', 'Other', request, options)).rejects.toMatchObject({ code: 12 })
    await expect(client.call('s', 'toString', request, options)).rejects.toMatchObject({ code: 12 })
    await expect(client.call('s', 'Fail', new Uint8Array([0x0a, 0x50]), options)).rejects.toMatchObject({ code: 3 })
  })

  test('the deadline of the caller ends what it waits for', async () => {
    const aborted: boolean[] = []
    const client = await serve({
      s: {
        Never: method(m.ContainerRequest, m.Empty, (_, { signal }) => {
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve({}))).then(() => {
            aborted.push(true)
            return {}
          })
        }),
      },
    })
    await expect(client.call('s', 'Never', request, { timeout: 1000 })).rejects.toThrow(/Never/)
    await expect.poll(() => aborted, { timeout: 30_000 }).toEqual([true])
  })
})

describe('events', () => {
  test('wait for containerd, and come in their order', async () => {
    const publisher = new Publisher(`unix://${address}`, 'ns')
    const taken: string[] = []
    publisher.publish('/tasks/start', { container_id: 'a', pid: 5 }, () => taken.push('start'))
    publisher.publish('/tasks/oom', { container_id: 'a' }, () => taken.push('oom'))
    const topics: string[] = []
    let refused = false
    await serve({
      'containerd.services.events.ttrpc.v1.Events': {
        Forward: method(m.ForwardRequest, m.Empty, async ({ envelope }) => {
          topics.push(`${envelope?.namespace} ${envelope?.topic} ${envelope?.event?.type_url}`)
          if (!refused) {
            refused = true
            throw new ShimError('unavailable', 'not yet')
          }
          return {}
        }),
      },
    })
    await expect.poll(() => taken, { timeout: 30_000 }).toEqual(['start', 'oom'])
    expect(topics).toEqual([
      'ns /tasks/start containerd.events.TaskStart',
      'ns /tasks/start containerd.events.TaskStart',
      'ns /tasks/oom containerd.events.TaskOOM',
    ])
  })
})
