import { readFileSync } from 'node:fs'
import { bundle, type Config, deepEqual, equal, requires, test } from '../../lib'

const without = (c: Config, type: string): void => {
  c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== type)
}

const ALLOWED: readonly (readonly [string, string])[] = [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv4.ip_local_port_range', '12000\t13000'],
  ['net.core.somaxconn', '77'],
  ['kernel.shmmni', '4097'],
  ['kernel.msgmax', '9000'],
  ['kernel.msgmnb', '17000'],
  ['kernel.msgmni', '1234'],
  ['kernel.shmall', '12345678'],
  ['kernel.shmmax', '87654321'],
  ['kernel.shm_rmid_forced', '1'],
  ['kernel.sem', '250\t32000\t100\t129'],
  ['fs.mqueue.msg_max', '11'],
  ['fs.mqueue.queues_max', '33'],
]

for (const [key, value] of ALLOWED) {
  test(`config-linux.md#sysctl [SYS-1a]: ${key} is set in the namespace of the container and nowhere else`, async () => {
    const path = `/proc/sys/${key.replaceAll('.', '/')}`
    const before = readFileSync(path, 'utf8')
    const b = await bundle((c) => {
      c.linux.sysctl = { [key]: value }
    })
    const [read] = await b.probe(['read', path])
    deepEqual(read.data.trim().split(/\s+/), value.split(/\s+/))
    equal(readFileSync(path, 'utf8'), before)
  })
}

test('config-linux.md#sysctl [SYS-1a]: several at once', async () => {
  const b = await bundle((c) => {
    c.linux.sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.shmmni': '5000' }
  })
  const [a, z] = await b.probe(['read', '/proc/sys/net/ipv4/ip_forward'], ['read', '/proc/sys/kernel/shmmni'])
  deepEqual([a.data.trim(), z.data.trim()], ['1', '5000'])
})

test('config-linux.md#sysctl [SYS-1a]: a slash is a separator too, sysctl(8)', async () => {
  const b = await bundle((c) => {
    c.linux.sysctl = { 'net/ipv4/ip_forward': '1' }
  })
  const [read] = await b.probe(['read', '/proc/sys/net/ipv4/ip_forward'])
  equal(read.data.trim(), '1')
})

test('config-linux.md#sysctl [SYS-1a]: kernel.domainname with a UTS namespace of its own', async () => {
  const b = await bundle((c) => {
    c.linux.sysctl = { 'kernel.domainname': 'by-sysctl' }
  })
  equal((await b.report()).domainname, 'by-sysctl')
})

test('config-linux.md#sysctl [SYS-1c]: kernel.hostname is refused, hostname is for that', async () => {
  const b = await bundle((c) => {
    c.linux.sysctl = { 'kernel.hostname': 'by-sysctl' }
  })
  await b.refused(/kernel\.hostname/)
})

for (const key of [
  'kernel.panic',
  'vm.swappiness',
  'fs.file-max',
  'kernel.core_pattern',
  'kernel.shmmax.x',
  'dev.cdrom.info',
]) {
  test(`config-linux.md#sysctl [SYS-1c]: ${key} has no namespace and is refused`, async () => {
    const path = '/proc/sys/kernel/panic'
    const before = readFileSync(path, 'utf8')
    const b = await bundle((c) => {
      c.linux.sysctl = { [key]: '1' }
    })
    await b.refused(new RegExp(key.replaceAll('.', '\\.')))
    equal(readFileSync(path, 'utf8'), before)
  })
}

test('config-linux.md#sysctl [SYS-1c]: net.* without a network namespace is refused', async () => {
  const b = await bundle((c) => {
    without(c, 'network')
    c.mounts = c.mounts.filter((mount) => mount.type !== 'sysfs')
    c.linux.sysctl = { 'net.ipv4.ip_forward': '1' }
  })
  await b.refused(/net\.ipv4\.ip_forward/)
})

test('config-linux.md#sysctl [SYS-1c]: net.* with the network namespace of the host by its path is refused', {
  peers: { crun: 'looks at the list only' },
}, async () => {
  const b = await bundle((c) => {
    without(c, 'network')
    c.linux.namespaces.push({ type: 'network', path: '/proc/self/ns/net' })
    c.mounts = c.mounts.filter((mount) => mount.type !== 'sysfs')
    c.linux.sysctl = { 'net.core.somaxconn': readFileSync('/proc/sys/net/core/somaxconn', 'utf8').trim() }
  })
  await b.refused(/net\.core\.somaxconn/)
})

test('config-linux.md#sysctl [SYS-1c]: kernel.shm* and fs.mqueue.* without an IPC namespace are refused', async () => {
  for (const key of ['kernel.shmmni', 'fs.mqueue.msg_max']) {
    const b = await bundle((c) => {
      without(c, 'ipc')
      c.mounts = c.mounts.filter((mount) => mount.type !== 'mqueue')
      c.linux.sysctl = { [key]: '99' }
    })
    await b.refused(new RegExp(key.replaceAll('.', '\\.')))
  }
})

test('config-linux.md#sysctl [SYS-1b]: a value that the kernel refuses is an error that names the key', async () => {
  const b = await bundle((c) => {
    c.linux.sysctl = { 'net.ipv4.ip_forward': 'nonsense' }
  })
  await b.refused(/net\.ipv4\.ip_forward/)
})

test('config-linux.md#sysctl [SYS-1b]: a key that does not exist is an error', async () => {
  const b = await bundle((c) => {
    c.linux.sysctl = { 'net.no.such.key': '1' }
  })
  await b.refused(/net\.no\.such\.key/)
})

test('config-linux.md#sysctl [SYS-1b]: a key that climbs is refused', async () => {
  for (const key of ['net.../../kernel/panic', 'net/../kernel/panic', 'net...kernel.panic']) {
    const b = await bundle((c) => {
      c.linux.sysctl = { [key]: '0' }
    })
    await b.refused(/sysctl/)
  }
})

test('config-linux.md#sysctl [SYS-1a]: net.* in a user namespace', async () => {
  requires('userns')
  const b = await bundle((c) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
    c.linux.sysctl = { 'net.ipv4.ip_forward': '1' }
  })
  const [read] = await b.probe(['read', '/proc/sys/net/ipv4/ip_forward'])
  equal(read.data.trim(), '1')
})

test('config-linux.md#personality [LNX-5a]: LINUX32', { peers: { runc: 'since 1.2' } }, async () => {
  requires('x86_64')
  const b = await bundle((c) => {
    c.linux.personality = { domain: 'LINUX32' }
  })
  const report = await b.report()
  deepEqual([report.personality, report.machine], [8, 'i686'])
})

test('config-linux.md#personality [LNX-5a]: LINUX', async () => {
  const b = await bundle((c) => {
    c.linux.personality = { domain: 'LINUX' }
  })
  equal((await b.report()).personality, 0)
})

test('config-linux.md#personality [LNX-5b]: an unknown domain is an error', {
  peers: { runc: 'since 1.2' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.personality = { domain: 'BSD' }
  })
  await b.refused(/personality|BSD/)
})

test('config-linux.md#personality [LNX-5b]: no flag is valid', {
  peers: { runc: 'since 1.2', crun: 'ignores them' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.personality = { domain: 'LINUX', flags: ['ANY'] }
  })
  await b.refused(/flags|personality/)
})
