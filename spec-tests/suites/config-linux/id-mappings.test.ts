import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, bad, bundle, type Config, deepEqual, equal, type IdMapping, requires, test } from '../../lib'

const BASE = 100_000

/** A user namespace in which root is an ordinary user of the host, who owns the root file system. */
const mapped = (change: (c: Config, b: Bundle) => void = () => undefined): Promise<Bundle> => {
  requires('userns')
  return bundle((c, b) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: BASE, size: 65536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: BASE, size: 65536 }]
    change(c, b)
    execFileSync('chown', ['-R', `${BASE}:${BASE}`, b.rootfs])
  })
}

test('config-linux.md#user-namespace-mappings [NS-3a]: uidMappings and gidMappings are the mappings of the user namespace', async () => {
  const b = await mapped((c) => {
    c.linux.uidMappings = [
      { containerID: 0, hostID: BASE, size: 1000 },
      { containerID: 1000, hostID: 300_000, size: 64_536 },
    ]
    c.linux.gidMappings = [{ containerID: 0, hostID: BASE, size: 7000 }]
  })
  const [uid, gid] = await b.probe(['read', '/proc/self/uid_map'], ['read', '/proc/self/gid_map'])
  const numbers = (text: string): number[][] =>
    text
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
  deepEqual(numbers(uid.data), [
    [0, BASE, 1000],
    [1000, 300_000, 64_536],
  ])
  deepEqual(numbers(gid.data), [[0, BASE, 7000]])
})

test('config-linux.md#user-namespace-mappings [NS-3a]: hostID is the starting uid on the host to be mapped to containerID', async () => {
  const b = await mapped((c) => {
    c.process.user = { uid: 5, gid: 6, additionalGids: [7] }
  })
  b.command(['sleep', '30'])
  await b.create()
  await b.start()
  const status = readFileSync(`/proc/${(await b.state()).pid}/status`, 'utf8')
  equal(/^Uid:\s+(\d+)/m.exec(status)?.[1], String(BASE + 5))
  equal(/^Gid:\s+(\d+)/m.exec(status)?.[1], String(BASE + 6))
  equal(/^Groups:\s+([\d ]+)/m.exec(status)?.[1]?.trim(), String(BASE + 7))
})

test('config-linux.md#user-namespace-mappings [NS-3b]: the owners of files are not changed', async () => {
  const b = await mapped()
  const owners = (): number[] => [b.rootfs, join(b.rootfs, 'bin/probe'), b.path].map((path) => statSync(path).uid)
  const before = owners()
  await b.report()
  deepEqual(owners(), before)
})

test('config-linux.md#user-namespace-mappings [NS-3a]: inside, root is root with the capabilities that were asked for', async () => {
  const b = await mapped((c) => {
    c.root.readonly = false
    c.process.noNewPrivileges = false
    const all = ['CAP_CHOWN', 'CAP_SYS_ADMIN']
    c.process.capabilities = { bounding: all, effective: all, permitted: all }
  })
  const [report, made, chown] = await b.probe(['report'], ['mkdir', '/made'], ['chown', '/made', '5', '5'])
  deepEqual([report.uids[0], made.error, chown.error], [0, '', ''])
  deepEqual(report.capabilities.effective, [0, 21])
})

test('config-linux.md#user-namespace-mappings [NS-3a]: the other namespaces belong to the user namespace', async () => {
  const b = await mapped((c) => {
    c.process.capabilities = { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'] }
  })
  const [name] = await b.probe(['syscall', 'sethostname', 's:changed', '7'])
  equal(name.error, '')
})

test('config-linux.md#user-namespace-mappings [NS-3a]: /dev and its devices in a user namespace', async () => {
  const b = await mapped()
  const [nothing, zero, written, console] = await b.probe(
    ['stat', '/dev/null'],
    ['stat', '/dev/zero'],
    ['write', '/dev/null', 'x'],
    ['stat', '/dev/ptmx'],
  )
  deepEqual([nothing.major, nothing.minor, zero.major, zero.minor], [1, 3, 1, 5])
  deepEqual([written.error, console.minor], ['', 2])
})

test('config-linux.md#user-namespace-mappings [NS-3a]: masked and read-only paths in a user namespace', async () => {
  const b = await mapped((c, b) => {
    b.file('secret', 'hidden')
    c.linux.maskedPaths?.push('/secret')
  })
  const [secret, sys] = await b.probe(['read', '/secret'], ['write', '/proc/sys/kernel/domainname', 'x'])
  equal(secret.data, '')
  equal(['EROFS', 'EACCES'].includes(sys.error), true, sys.error)
})

test('config-linux.md#user-namespace-mappings [NS-3a]: an identity mapping of everything', async () => {
  const b = await mapped((c) => {
    c.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 4294967295 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 4294967295 }]
  })
  const [map] = await b.probe(['read', '/proc/self/uid_map'])
  deepEqual(map.data.trim().split(/\s+/), ['0', '0', '4294967295'])
})

test('config-linux.md#user-namespace-mappings [NS-3a]: a hundred mappings', async () => {
  const b = await mapped((c) => {
    c.linux.uidMappings = Array.from({ length: 100 }, (_, i) => ({ containerID: i, hostID: BASE + 2 * i, size: 1 }))
  })
  const [map] = await b.probe(['read', '/proc/self/uid_map'])
  equal(map.data.trim().split('\n').length, 100)
})

test('config.md#user [PRC-15d]: a uid without a mapping is refused', async () => {
  const b = await mapped((c) => {
    c.process.user = { uid: 70_000, gid: 0 }
  })
  await b.refused(/uid|70000/)
})

test('config.md#user [PRC-15d]: a gid without a mapping is refused', async () => {
  const b = await mapped((c) => {
    c.process.user = { uid: 0, gid: 70_000 }
  })
  await b.refused(/gid|70000/)
})

test('config.md#user [PRC-15d]: an additional gid without a mapping is refused', async () => {
  const b = await mapped((c) => {
    c.process.user = { uid: 0, gid: 0, additionalGids: [70_000] }
  })
  await b.refused(/additionalGids|70000/)
})

test('config-linux.md#user-namespace-mappings [NS-3c]: mappings without a user namespace are refused', {
  peers: { runc: 'since 1.2', crun: 'ignores them' },
}, async () => {
  const b = await mapped((c) => {
    c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'user')
  })
  await b.refused(/[uU]idMappings|user namespace/)
})

test('config-linux.md#user-namespace-mappings [NS-3c]: a new user namespace without mappings is refused', async () => {
  const b = await mapped((c) => {
    delete c.linux.uidMappings
    delete c.linux.gidMappings
  })
  await b.refused(/[mM]apping/)
})

test('config-linux.md#user-namespace-mappings [NS-3c]: a size of 0 is refused', async () => {
  const b = await mapped((c) => {
    c.linux.uidMappings = [{ containerID: 0, hostID: BASE, size: 0 }]
  })
  await b.refused(/size|[mM]apping/)
})

test('config-linux.md#user-namespace-mappings [NS-3c]: mappings that overlap are refused', async () => {
  const b = await mapped((c) => {
    c.linux.uidMappings = [
      { containerID: 0, hostID: BASE, size: 10 },
      { containerID: 5, hostID: 2 * BASE, size: 10 },
    ]
  })
  await b.refused(/[mM]apping|uid_map/)
})

test('config-linux.md#user-namespace-mappings [NS-3c]: size is REQUIRED', async () => {
  const b = await mapped((c) => {
    c.linux.uidMappings = [bad({ containerID: 0, hostID: BASE })]
  })
  await b.refused(/size|[mM]apping/)
})

test('config-linux.md#user-namespace-mappings [NS-3a]: a hook and a cgroup with limits in a user namespace', async () => {
  const b = await mapped((c, b) => {
    c.linux.resources.pids = { limit: 20 }
    c.hooks = { createContainer: [b.hook('createContainer', 'in-the-container')] }
  })
  const report = await b.report()
  equal(report.uids[0], 0)
  const [hook] = b.hookLines()
  equal(hook?.namespaces.net, report.namespaces.net)
})

/** A container in the user namespace of another one, with these mappings beside its path. */
const joining = async (uidMappings: IdMapping[]): Promise<Bundle> => {
  const first = await mapped()
  first.command(['sleep', '60'])
  await first.create()
  const { pid } = await first.state()
  return await mapped((c) => {
    c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'user')
    c.linux.namespaces.push({ type: 'user', path: `/proc/${pid}/ns/user` })
    c.linux.uidMappings = uidMappings
  })
}

test('config-linux.md#user-namespace-mappings [NS-3a]: mappings beside the path of a user namespace that has the same', async () => {
  const b = await joining([{ containerID: 0, hostID: BASE, size: 65536 }])
  const [map] = await b.probe(['read', '/proc/self/uid_map'])
  deepEqual(map.data.trim().split(/\s+/), ['0', String(BASE), '65536'])
})

test('config-linux.md#user-namespace-mappings [NS-3c]: mappings that are not those of the user namespace at path', {
  peers: { runc: 'writes them to the namespace', crun: 'ignores them' },
}, async () => {
  const b = await joining([{ containerID: 0, hostID: BASE, size: 65535 }])
  await b.refused(/uid_map is 0 100000 65536; .*\(EINVAL\) \(config\.json \/linux\/uidMappings\)/)
})
