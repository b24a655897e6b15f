import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bad, bundle, deepEqual, equal, mountAt, scratch, test } from '../../lib'

test('config.md#root [ROOT-2a]: path specifies the path to the root filesystem for the container, relative to the bundle', async () => {
  const b = await bundle((c, b) => {
    renameSync(b.rootfs, join(b.path, 'other-root'))
    c.root.path = 'other-root'
  })
  writeFileSync(join(b.path, 'other-root/here'), 'yes')
  const [here] = await b.probe(['read', '/here'])
  equal(here.data, 'yes')
})

test('config.md#root [ROOT-2a]: path is an absolute path', async () => {
  const b = await bundle((c, b) => {
    c.root.path = b.rootfs
  })
  b.file('here', 'yes')
  const [here] = await b.probe(['read', '/here'])
  equal(here.data, 'yes')
})

test('config.md#root [ROOT-2a]: a path in the bundle with . and .. and / at its end', async () => {
  const b = await bundle((c) => {
    c.root.path = './x/../rootfs/'
  })
  mkdirSync(join(b.path, 'x'))
  b.file('here', 'yes')
  const [here] = await b.probe(['read', '/here'])
  equal(here.data, 'yes')
})

test('config.md#root [ROOT-3a]: if readonly is true the root filesystem MUST be read-only inside the container', async () => {
  const b = await bundle((c) => {
    c.root.readonly = true
  })
  const [mounts, made] = await b.probe(['mounts'], ['mkdir', '/new'])
  equal(mountAt(mounts.mountinfo, '/').options[0], 'ro')
  equal(made.error, 'EROFS')
})

test('config.md#root [ROOT-3b]: readonly defaults to false', async () => {
  const b = await bundle((c) => {
    delete c.root.readonly
  })
  const [made] = await b.probe(['mkdir', '/new'])
  equal(made.error, '')
})

test("config.md#root [ROOT-3a]: readonly root leaves the bundle's own mount writable for the host", async () => {
  const b = await bundle()
  await b.create()
  writeFileSync(join(b.rootfs, 'from-the-host'), '')
})

test('config.md#root [ROOT-2b]: a directory MUST exist at the path declared by the field', async () => {
  const b = await bundle((_, b) => rmSync(b.rootfs, { recursive: true }))
  await b.refused(/rootfs/)
})

test('config.md#root [ROOT-2b]: a file at the path is refused', async () => {
  const b = await bundle((_, b) => {
    rmSync(b.rootfs, { recursive: true })
    writeFileSync(b.rootfs, '')
  })
  await b.refused(/rootfs|not a directory/i)
})

test('config.md#root [ROOT-1]: root is REQUIRED', async () => {
  const b = await bundle((c) => {
    c.root = bad(undefined)
  })
  await b.refused(/root/i)
})

test('config.md#root [ROOT-2b]: path is REQUIRED', async () => {
  const b = await bundle((c) => {
    c.root = bad({ readonly: true })
  })
  await b.refused(/root/i)
})

test('config.md#root [ROOT-2a]: a path that leads through a symbolic link', {
  peers: { runc: 'refuses links on the way' },
}, async () => {
  const link = scratch('link')
  const b = await bundle((c, b) => {
    symlinkSync(b.path, link)
    c.root.path = join(link, 'rootfs')
  })
  b.file('here', 'yes')
  const [here] = await b.probe(['read', '/here'])
  equal(here.data, 'yes')
})

test('config.md#root [ROOT-2a]: a root directory that only its owner may enter', async () => {
  const b = await bundle((_, b) => chmodSync(b.rootfs, 0o700))
  const [root] = await b.probe(['stat', '/'])
  deepEqual([root.type, root.mode], ['directory', 0o700])
})

test('config.md#root [ROOT-2a]: nothing of the host is reachable above the root', async () => {
  const b = await bundle((_, b) => b.file('only-here', ''))
  const [up, above] = await b.probe(['ls', '/../../..'], ['lstat', '/../only-here'])
  equal(above.error, '')
  equal(up.entries.includes('only-here'), true)
})
