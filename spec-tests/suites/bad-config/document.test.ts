// config.md as a document: what is not JSON, what JSON leaves open, and what must be ignored.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, bad, bundle, equal, match, test } from '../../lib'
import { encodeConfig } from '../../lib/config'
import { peersFor } from './rows'

/** A bundle whose config.json is made of the valid text by `change`. */
const withText = async (change: (text: string) => string | Uint8Array): Promise<Bundle> => {
  const b = await bundle()
  writeFileSync(join(b.path, 'config.json'), change(encodeConfig(b.config)))
  return b
}

const refusesText = (
  what: string,
  story: RegExp,
  change: (text: string) => string | Uint8Array,
  ids: 'BUN-1b' | 'GEN-5a' | 'GEN-5b' = 'BUN-1b',
): void => {
  const title = `${what} is refused`
  test(`config.md [${ids}]: ${title}`, peersFor(title), async () => {
    const b = await withText(change)
    match(await b.refused(story), /./)
  })
}

refusesText('an empty file', /config\.json/, () => '')
refusesText('null', /config\.json/, () => 'null')
refusesText('a list', /config\.json/, (text) => `[${text}]`)
refusesText('a string', /config\.json/, () => '"config"')
refusesText('half of the document', /config\.json.*line/, (text) => text.slice(0, text.length / 2))
refusesText('a document that lacks its last brace', /config\.json.*line/, (text) => text.slice(0, -1))
refusesText('a comma before a closing brace', /config\.json.*line \d+, column \d+/, (text) => `${text.slice(0, -1)},}`)
refusesText('a comment', /config\.json.*line/, (text) => `// container\n${text}`)
refusesText('a name without quotes', /config\.json.*line/, (text) => text.replace('"root"', 'root'))
refusesText('NaN', /config\.json.*line/, (text) => text.replace('"uid": 0', '"uid": NaN'))
refusesText('a number in hexadecimal digits', /config\.json.*line/, (text) => text.replace('"uid": 0', '"uid": 0x0'))
refusesText('a number with a leading zero', /config\.json.*line/, (text) => text.replace('"uid": 0', '"uid": 00'))
refusesText('a NUL byte in the text', /config\.json/, (text) => text.replace('"hostname"', '\0"hostname"'))
refusesText('a line end inside of a string', /config\.json.*line/, (text) =>
  text.replace('"container"', '"con\ntainer"'),
)
refusesText('text behind the document', /config\.json/, (text) => `${text} {}`)
refusesText(
  'bytes that are not UTF-8',
  /config\.json.*UTF-8/i,
  (text) => Buffer.from(text.replace('"container"', '"con\u00fftainer"'), 'latin1'),
  'GEN-5a',
)
refusesText('UTF-16', /config\.json/, (text) => Buffer.from(`\ufeff${text}`, 'utf16le'), 'GEN-5a')
refusesText('a document 100,000 lists deep', /config\.json/, (text) =>
  text.replace('{', `{"unknown":${'['.repeat(100_000)}${']'.repeat(100_000)},`),
)

const duplicates: readonly (readonly [pointer: string, change: (text: string) => string])[] = [
  ['/hostname', (text) => text.replace('{', '{"hostname":"other",')],
  ['/process/cwd', (text) => text.replace('"cwd": "/"', '"cwd": "/", "cwd": "/tmp"')],
  ['/linux/namespaces/0/type', (text) => text.replace('"type": "pid"', '"type": "pid", "type": "pid"')],
  ['/process/user/uid', (text) => text.replace('"uid": 0', '"uid": 0, "u\\u0069d": 1000')],
]
for (const [pointer, change] of duplicates) {
  refusesText(
    `an object that has ${pointer} twice (RFC 8259, section 4)`,
    new RegExp(`config\\.json.* ${pointer}\\b`),
    change,
    'GEN-5b',
  )
}

test('bundle.md [BUN-1b]: a bundle without config.json is refused', async () => {
  const b = await bundle()
  rmSync(join(b.path, 'config.json'))
  await b.refused(/config\.json.*(no such file|does not exist)/i)
})

test('bundle.md [BUN-1b]: a config.json that is a directory is refused', async () => {
  const b = await bundle()
  rmSync(join(b.path, 'config.json'))
  mkdirSync(join(b.path, 'config.json'))
  await b.refused(/config\.json.*is a directory/i)
})

test('bundle.md [BUN-1b]: a config.json that is a link to nowhere is refused', async () => {
  const b = await bundle()
  rmSync(join(b.path, 'config.json'))
  symlinkSync('nowhere', join(b.path, 'config.json'))
  await b.refused(/config\.json/)
})

test('bundle.md [BUN-1b]: a bundle that is not there is refused', async () => {
  const b = await bundle()
  rmSync(b.path, { recursive: true })
  await b.refused(/no such file|does not exist/i)
})

test('config.md#extensibility [GEN-1]: properties that are unknown are ignored, at every level', async () => {
  const unknown = { unknown: { of: ['any', 1, null, true, 1e300] } }
  const b = await bundle((c) => {
    Object.assign(c, unknown)
    const { root, process, linux, mounts } = c
    for (const object of [root, process, process.user, process.capabilities, linux, linux.resources, mounts[0]]) {
      Object.assign(object ?? {}, unknown)
    }
    Object.assign(process.rlimits[0] ?? {}, unknown)
    Object.assign(linux.namespaces[0] ?? {}, unknown)
    c.hooks = bad({ ...unknown, poststop: [{ path: '/bin/true', ...unknown }] })
    linux.resources.memory = bad(unknown)
    linux.resources.cpu = bad({ shares: 1024, ...unknown })
    linux.devices = [bad({ path: '/dev/extra', type: 'c', major: 1, minor: 7, ...unknown })]
    c.annotations = { 'org.example.unknown': 'x', '': bad(undefined) }
  })
  await b.report()
})

test('config.md#platform-specific-configuration [PLT-1]: sections of other platforms change nothing', async () => {
  const b = await bundle((c) => {
    Object.assign(c, {
      windows: {
        layerFolders: ['C:\\layers'],
        devices: [{ id: 'x', idType: 'class' }],
        resources: { cpu: { count: 1 } },
      },
      solaris: {
        milestone: 'svc:/milestone/container:default',
        limitpriv: 'default',
        cappedMemory: { physical: '1m' },
      },
      zos: { namespaces: [{ type: 'pid' }] },
      freebsd: { jail: { host: 'new' } },
    })
  })
  const report = await b.report()
  equal(report.pid, 1)
})

test('config.md [GEN-6]: an integer may be written with an exponent or a fraction of zero', {
  peers: { runc: 'integers are digits only', crun: 'integers are digits only' },
  sometimes: true,
}, async () => {
  const b = await withText((text) => text.replace('"uid": 0', '"uid": 0.0').replace('"soft": 1024', '"soft": 1.024e3'))
  await b.create()
})

test('config.md [BUN-1a GEN-5a]: a byte order mark in front is read over or refused in words (RFC 8259, section 8.1)', async () => {
  const b = await withText((text) => `\ufeff${text}`)
  const outcome = await b.tryCreate()
  if (outcome.status !== 0) {
    match(outcome.stderr, /config\.json|BOM|byte order|invalid|parse/i)
  }
})

test('config.md [BUN-1a GEN-5a]: a document of some megabytes is read', async () => {
  const b = await bundle((c) => {
    c.annotations = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key-${index}`, 'v'.repeat(100)]))
  })
  await b.create()
})
