import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rehearsedConfig } from '../cli/rehearsed-config'
import { installation } from './installation'
import { planRequest } from './plan-request'
import { REQUEST_HEADER, readRequest, readRequestHeader } from './protocol'
import { Rehearsal, rehearsedMessages } from './rehearsal'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const messages = rehearsedMessages(rehearsedConfig(), installation())

/** In steps: what a plan has begun goes on in between. */
const passSeconds = async (): Promise<void> => {
  for (let i = 0; i < 100; i++) await vi.advanceTimersByTimeAsync(30)
}

test.each(messages.map((message) => [message]))('what is rehearsed is planned to its end', async (message) => {
  const header = readRequestHeader(message)
  expect(header).toMatchObject(installation())
  const request = readRequest(header, message.subarray(REQUEST_HEADER))
  const reply = await planRequest(request, process.pid, request.answers, {
    memory: { fact: (_key, probe) => probe(), content: (_kind, _bytes, make) => make() },
    compilerOf: () => () => new Uint8Array(),
  })
  expect(reply.kind).toBe('plan')
})

test('it begins after a while, and ends by itself', async () => {
  const plan = vi.fn(async () => undefined)
  new Rehearsal(messages, plan, () => 1000).begin()
  await vi.advanceTimersByTimeAsync(100)
  expect(plan).not.toHaveBeenCalled()
  await passSeconds()
  expect(plan.mock.calls.length).toBeGreaterThan(10)
  expect(vi.getTimerCount()).toBe(0)
})

test('it waits while somebody is planned for', async () => {
  const plan = vi.fn(async () => undefined)
  let quiet = 0
  new Rehearsal(messages, plan, () => quiet).begin()
  await passSeconds()
  expect(plan).not.toHaveBeenCalled()
  quiet = 1000
  await passSeconds()
  expect(plan).toHaveBeenCalled()
})

test('it ends with the planner, and where a plan fails', async () => {
  const plan = vi.fn(async () => {
    throw new Error('refused')
  })
  new Rehearsal(messages, plan, () => 1000).begin()
  await passSeconds()
  expect(plan).toHaveBeenCalledTimes(1)
  const ended = new Rehearsal(messages, plan, () => 1000)
  ended.begin()
  ended.end()
  await passSeconds()
  expect(plan).toHaveBeenCalledTimes(1)
})
