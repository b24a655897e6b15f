// SIGKILL while a network device is on its way into a network namespace that outlives the container.
import {
  bundle,
  deepEqual,
  equal,
  expectStatus,
  type NetworkNamespace,
  networkNamespace,
  ok,
  requires,
  test,
} from '../../lib'
import { atEach, type Clock, callKilled, createArgs, spread } from './killing'

/** What a host has of eth1, or undefined. */
const seen = (h: NetworkNamespace) => {
  const link = h.link('eth1')
  const addresses = link?.addr_info.filter(({ scope }) => scope === 'global').map(({ local }) => local)
  return link && { addresses, up: link.flags.includes('UP'), address: link.address, routes: h.ip('route') }
}

const giveBack = (inside: NetworkNamespace, h: NetworkNamespace): void => {
  inside.ip('link', 'set', 'inner', 'netns', String(h.pid), 'name', 'eth1')
  prepare(h)
}

const prepare = (h: NetworkNamespace): void => {
  h.ip('address', 'add', '192.0.2.7/24', 'dev', 'eth1')
  h.ip('link', 'set', 'eth1', 'up')
  h.ip('route', 'add', '198.51.100.0/24', 'via', '192.0.2.1', 'dev', 'eth1', 'proto', 'static')
}

test('config-linux.md#network-devices [GEN-3]: killed at any system call, create leaves no device away that delete --force does not bring back', {
  only: ['tsrunc'],
  timeout: 600_000,
}, async () => {
  requires('root')
  const [h, inside] = [await networkNamespace(), await networkNamespace()]
  h.ip('link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'far')
  prepare(h)
  const before = seen(h)
  ok(before)
  const b = await bundle((c) => {
    c.process.args = ['/bin/probe', 'pause']
    c.linux.netDevices = { eth1: { name: 'inner' } }
    c.linux.namespaces = c.linux.namespaces.map((entry) =>
      entry.type === 'network' ? { ...entry, path: inside.path } : entry,
    )
  })
  const { within } = h
  const remove = async (): Promise<void> => {
    expectStatus(await b.tryCall('delete', { flags: ['--force'], within }))
  }
  const count = async (clock: Clock) => {
    const ended = await callKilled(clock, 0, createArgs(b), within)
    expectStatus(ended.outcome)
    await remove()
    giveBack(inside, h)
    return ended
  }
  const execve = (await count({ execve: 1, who: 'main' })).execves
  const clock: Clock = { execve, who: 'main' }
  const { calls } = await count(clock)
  let lent = 0
  await atEach(spread(calls, 90), async (at) => {
    await callKilled(clock, at, createArgs(b), within)
    const { stdout } = await b.tryCall('state')
    const created = stdout.includes('"created"')
    lent += inside.links().length > 1 && !created ? 1 : 0
    await remove()
    if (created) {
      equal(seen(h), undefined)
      giveBack(inside, h)
    }
    deepEqual(seen(h), before)
  })
  ok(lent > 5, `the device was away at ${lent} points`)
})
