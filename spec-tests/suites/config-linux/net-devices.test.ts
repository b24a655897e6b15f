// config-linux.md "Network Devices". The "host" is a network namespace that each test makes for the runtime.
import {
  type Bundle,
  bundle,
  type Config,
  deepEqual,
  equal,
  linksOf,
  type NetworkLink,
  type NetworkNamespace,
  networkNamespace,
  notEqual,
  ok,
  requires,
  type TestOptions,
  test,
} from '../../lib'

const PEERS: TestOptions = { peers: { runc: 'since 1.4', crun: 'since 1.24' } }
/** What a runtime that does not know netDevices gets right by ignoring them. */
const IGNORED: TestOptions = { ...PEERS, sometimes: true }

type NetDevices = NonNullable<Config['linux']['netDevices']>

/** A host with a pair of devices, eth1 to be lent and far to talk to. */
const host = async (): Promise<NetworkNamespace> => {
  requires('root')
  const made = await networkNamespace()
  made.ip('link', 'set', 'lo', 'up')
  made.ip('link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'far')
  made.ip('link', 'set', 'far', 'up')
  return made
}

const lending = (netDevices: NetDevices, change: (c: Config) => void = () => undefined): Promise<Bundle> =>
  bundle((c) => {
    c.linux.netDevices = netDevices
    c.process.args = ['/bin/probe', 'pause']
    change(c)
  })

const create = async (b: Bundle, { within }: NetworkNamespace): Promise<NetworkLink[]> => {
  await b.create({ within })
  return linksOf((await b.state()).pid)
}

const named = (links: readonly NetworkLink[], name: string): NetworkLink => {
  const found = links.find(({ ifname }) => ifname === name)
  ok(found, `there is no ${name} among ${links.map(({ ifname }) => ifname).join(', ')}`)
  return found
}

/** What stays the same wherever the device is. */
const essence = ({ addr_info }: NetworkLink) =>
  addr_info
    .filter(({ scope, dynamic }) => scope === 'global' && dynamic !== true)
    .map(({ family, local, address, prefixlen, metric, broadcast, noprefixroute, preferred_life_time: life }) => {
      return { family, local, address, prefixlen, metric, broadcast, noprefixroute, life }
    })

test('config-linux.md#network-devices [NET-1a]: a device moves into the network namespace of the container', {
  ...PEERS,
}, async () => {
  const h = await host()
  const b = await lending({ eth1: {} })
  const links = await create(b, h)
  named(links, 'eth1')
  equal(h.link('eth1'), undefined)
})

test('config-linux.md#network-devices [NET-1b]: name is the name of the device in the container', PEERS, async () => {
  const h = await host()
  const links = await create(await lending({ eth1: { name: 'inner0' } }), h)
  named(links, 'inner0')
  equal(links.length, 2)
})

test('config-linux.md#network-devices [NET-1b]: several devices, with names exchanged', PEERS, async () => {
  const h = await host()
  h.ip('link', 'add', 'eth2', 'type', 'veth', 'peer', 'name', 'far2')
  const [one, other] = [h.link('eth1')?.address, h.link('eth2')?.address]
  const links = await create(await lending({ eth1: { name: 'eth2' }, eth2: { name: 'eth1' } }), h)
  deepEqual([named(links, 'eth2').address, named(links, 'eth1').address], [one, other])
})

test('config-linux.md#network-devices [NET-1b]: %d at the end of the name is a number that the kernel chooses', {
  ...PEERS,
}, async () => {
  const h = await host()
  h.ip('link', 'add', 'eth2', 'type', 'veth', 'peer', 'name', 'far2')
  const inside = await networkNamespace()
  inside.ip('link', 'add', 'net0', 'type', 'veth', 'peer', 'name', 'eth1')
  const b = await lending({ eth1: { name: 'net%d' }, eth2: { name: 'net%d' } }, (c) => {
    c.linux.namespaces = c.linux.namespaces.map((entry) =>
      entry.type === 'network' ? { ...entry, path: inside.path } : entry,
    )
  })
  const address = h.link('eth1')?.address
  const links = await create(b, h)
  deepEqual(links.map(({ ifname }) => ifname).sort(), ['eth1', 'lo', 'net0', 'net1', 'net2'])
  equal(named(links, 'net1').address, address)
})

test('config-linux.md#network-devices [NET-1c]: the runtime MUST preserve attributes and all permanent global addresses', {
  ...PEERS,
}, async () => {
  const h = await host()
  h.ip('link', 'set', 'eth1', 'mtu', '1400', 'address', '02:00:00:00:00:11', 'alias', 'lent', 'up')
  h.ip('address', 'add', '192.0.2.7/24', 'broadcast', '+', 'dev', 'eth1', 'label', 'eth1:one')
  h.ip('address', 'add', '192.0.2.8/24', 'dev', 'eth1')
  h.ip('address', 'add', '198.51.100.1', 'peer', '198.51.100.2/32', 'dev', 'eth1', 'metric', '77')
  h.ip('address', 'add', '203.0.113.9/28', 'dev', 'eth1', 'noprefixroute')
  h.ip('address', 'add', '2001:db8::7/64', 'dev', 'eth1', 'nodad')
  h.ip('address', 'add', '2001:db8:1::7/64', 'dev', 'eth1', 'nodad', 'preferred_lft', '0')
  h.ip('address', 'add', '192.0.2.99/24', 'dev', 'eth1', 'valid_lft', '3000', 'preferred_lft', '3000')
  h.ip('address', 'add', '10.9.9.9/24', 'dev', 'eth1', 'scope', 'link')
  const before = h.link('eth1')
  ok(before)
  const links = await create(await lending({ eth1: { name: 'inner' } }), h)
  const after = named(links, 'inner')
  deepEqual([after.mtu, after.address, after.ifalias], [1400, '02:00:00:00:00:11', 'lent'])
  deepEqual(essence(after), essence(before))
  equal(essence(after).length, 6)
  const locals = after.addr_info.map(({ local }) => local)
  deepEqual([locals.includes('192.0.2.99'), locals.includes('10.9.9.9')], [false, false])
  equal(after.addr_info.find(({ local }) => local === '192.0.2.7')?.label, 'inner:one')
})

test(
  'config-linux.md#network-devices [NET-1a]: the runtime MUST set the device up, and it carries traffic',
  PEERS,
  async () => {
    requires('busybox')
    const h = await host()
    h.ip('address', 'add', '192.0.2.1/24', 'dev', 'far')
    h.ip('address', 'add', '192.0.2.2/24', 'dev', 'eth1')
    const links = await create(await lending({ eth1: {} }), h)
    ok(named(links, 'eth1').flags.includes('UP'))
    h.run('busybox', 'ping', '-c', '1', '-w', '10', '192.0.2.2')
  },
)

test('config-linux.md#network-devices [NET-1a]: hooks find the device in its place', PEERS, async () => {
  const h = await host()
  const b = await lending({ eth1: { name: 'inner' } }, (c) => {
    const words = [
      'sh',
      '-c',
      'nsenter --net=/proc/$(sed -n "s/.*\\"pid\\": *\\([0-9]*\\).*/\\1/p")/ns/net ip link show inner',
    ]
    c.hooks = { createRuntime: [{ path: '/bin/sh', args: words, env: ['PATH=/usr/bin:/bin:/usr/sbin:/sbin'] }] }
  })
  named(await create(b, h), 'inner')
})

test('config-linux.md#network-devices [NET-1a]: with a user namespace', PEERS, async () => {
  requires('userns')
  const h = await host()
  h.ip('address', 'add', '192.0.2.2/24', 'dev', 'eth1')
  const b = await lending({ eth1: {} }, (c) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
  })
  const device = named(await create(b, h), 'eth1')
  ok(device.flags.includes('UP'))
  equal(essence(device).length, 1)
})

test('config-linux.md#network-devices [NET-1a]: the program sees the device', PEERS, async () => {
  const h = await host()
  const b = await lending({ eth1: { name: 'inner' } })
  b.command(['read', '/proc/net/dev'])
  const { stdout } = await b.run({ within: h.within })
  ok(b.answers(stdout, [['read', '']])[0].data.includes('inner:'))
})

test('config-linux.md#network-devices [NET-1d]: the runtime MUST NOT move the device back when the container ends', {
  ...PEERS,
}, async () => {
  const h = await host()
  const inside = await networkNamespace()
  const b = await lending({ eth1: { name: 'inner' } }, (c) => {
    c.linux.namespaces = c.linux.namespaces.map((entry) =>
      entry.type === 'network' ? { ...entry, path: inside.path } : entry,
    )
  })
  await create(b, h)
  await b.delete({ flags: ['--force'] })
  notEqual(inside.link('inner'), undefined)
  equal(h.link('eth1'), undefined)
})

/** Everything of the host that a create which failed must have left as it was. */
const surroundings = (h: NetworkNamespace): unknown => ({
  links: h.links().map(({ ifname, flags, mtu, address, master, addr_info }) => {
    const addresses = addr_info.filter(({ scope }) => scope === 'global')
    return { ifname, up: flags.includes('UP'), mtu, address, master, addresses }
  }),
  routes: [h.ip('route', 'show', 'table', 'all', 'proto', 'static'), h.ip('-6', 'route', 'show', 'proto', 'static')],
})

const refusedAsBefore = async (b: Bundle, h: NetworkNamespace, story: RegExp): Promise<void> => {
  const before = surroundings(h)
  await b.refused(story, { within: h.within })
  deepEqual(surroundings(h), before)
}

test(
  'config-linux.md#network-devices [NET-1e]: a name that exists in the container MUST be an error',
  PEERS,
  async () => {
    const h = await host()
    const inside = await networkNamespace()
    inside.ip('link', 'add', 'taken', 'type', 'veth', 'peer', 'name', 'other')
    const joined = (c: Config): void => {
      c.linux.namespaces = c.linux.namespaces.map((entry) =>
        entry.type === 'network' ? { ...entry, path: inside.path } : entry,
      )
    }
    const b = await lending({ eth1: { name: 'taken' } }, joined)
    await refusedAsBefore(b, h, /move network device "eth1".*"taken".*already \(EEXIST\).*\/linux\/netDevices\/eth1/)
  },
)

test('config-linux.md#network-devices [NET-1e]: a device that does not exist is an error', PEERS, async () => {
  const h = await host()
  await refusedAsBefore(
    await lending({ eth9: {} }),
    h,
    /"eth9".*no network device of this name.*\/linux\/netDevices\/eth9/,
  )
})

test('config-linux.md#network-devices [NET-1e]: a device that cannot be moved is an error', PEERS, async () => {
  const h = await host()
  await refusedAsBefore(await lending({ lo: { name: 'lo9' } }), h, /"lo".*invalid argument.*\/linux\/netDevices\/lo/)
})

test('config-linux.md#network-devices [GEN-3]: a create that fails later gives the devices back as they were', {
  ...IGNORED,
}, async () => {
  const h = await host()
  h.ip('link', 'add', 'eth2', 'type', 'veth', 'peer', 'name', 'far2')
  h.ip('link', 'add', 'bridge', 'type', 'bridge')
  h.ip('link', 'set', 'eth2', 'master', 'bridge')
  h.ip('link', 'set', 'eth1', 'mtu', '1400', 'up')
  h.ip('address', 'add', '192.0.2.7/24', 'dev', 'eth1', 'label', 'eth1:one')
  h.ip('address', 'add', '2001:db8::7/64', 'dev', 'eth1', 'nodad')
  h.ip('route', 'add', '198.51.100.0/24', 'dev', 'eth1', 'proto', 'static', 'scope', 'link')
  h.ip('route', 'add', '203.0.113.0/24', 'via', '198.51.100.9', 'proto', 'static', 'metric', '7')
  h.ip('-6', 'route', 'add', '2001:db8:9::/48', 'via', '2001:db8::1', 'proto', 'static')
  const b = await lending({ eth1: { name: 'inner' }, eth2: { name: 'in%d' } }, (c) => {
    c.hooks = { createRuntime: [{ path: '/bin/false' }] }
  })
  await refusedAsBefore(b, h, /\/hooks\/createRuntime\/0/)
})

test(
  'config-linux.md#network-devices [GEN-3]: the devices before one that cannot be moved come back',
  PEERS,
  async () => {
    const h = await host()
    h.ip('address', 'add', '192.0.2.7/24', 'dev', 'eth1')
    await refusedAsBefore(await lending({ eth1: { name: 'inner' }, eth9: {} }), h, /"eth9"/)
  },
)

test('config-linux.md#network-devices [NET-1f]: without a network namespace it is an error', PEERS, async () => {
  const h = await host()
  const without = await lending({ eth1: {} }, (c) => {
    c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'network')
    c.mounts = c.mounts.filter(({ type }) => type !== 'sysfs')
  })
  await refusedAsBefore(without, h, /\/linux\/netDevices/)
  const same = await lending({ eth1: {} }, (c) => {
    c.linux.namespaces = c.linux.namespaces.map((entry) =>
      entry.type === 'network' ? { ...entry, path: h.path } : entry,
    )
  })
  await refusedAsBefore(same, h, /network namespace is the host's own.*\/linux\/netDevices\/eth1/)
})

for (const name of ['a b', 'a/b', 'a:b', '.', '..', 'name-that-is-too-long', '%d%d', 'a%db', 'fourteen-bytes%d']) {
  test(`config-linux.md#network-devices [NET-1e]: the name ${JSON.stringify(name)} is an error`, IGNORED, async () => {
    const h = await host()
    await refusedAsBefore(await lending({ eth1: { name } }), h, /\/linux\/netDevices\/eth1\/name/)
  })
}
