// Compiled seccomp programs are kept beneath --root. Nothing that lies there may weaken a container or keep one from
// being made.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  bundle,
  callRuntime,
  deepEqual,
  doesNotMatch,
  equal,
  expectStatus,
  match,
  notEqual,
  ok,
  runtimeEnvironment,
  type Seccomp,
  sandbox,
  scratch,
  coldTest as test,
} from '../../lib'

const only = { only: ['tsrunc'] } as const
const EPROTO = 71

const profile = (errnoRet = EPROTO): Seccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['alarm'], action: 'SCMP_ACT_ERRNO', errnoRet }],
})

// What planners keep in their memory is not looked at here.
const cache = (): string => join(sandbox().marks.root, '~seccomp')
const entries = (): string[] => readdirSync(cache()).map((name) => join(cache(), name))

/** The one entry. */
const entry = (): string => {
  const [path = '', ...others] = entries()
  equal(others.length, 0)
  return path
}

/** What the filter answers, in a container of its own. */
const answer = async (seccomp: Seccomp = profile()): Promise<string> => {
  const b = await bundle((c) => {
    c.linux.seccomp = seccomp
  })
  const [call] = await b.probe(['syscall', 'alarm'])
  return call.error
}

/** A run after which there is one entry. */
const filled = async (): Promise<string> => {
  equal(await answer(), 'EPROTO')
  return entry()
}

const isSound = (path: string): boolean => {
  const about = lstatSync(path)
  return about.isFile() && about.uid === 0 && (about.mode & 0o7777) === 0o600 && about.nlink === 1
}

test('seccomp-cache: a program is kept for the next container, readable by its owner alone', only, async () => {
  const path = await filled()
  const before = readFileSync(path)
  ok(isSound(path))
  equal(lstatSync(cache()).mode & 0o7777, 0o700)
  match(path, /\/[0-9a-f]{64}$/)
  equal(await answer(), 'EPROTO')
  deepEqual([entry(), readFileSync(path)], [path, before])
})

test('seccomp-cache: libseccomp is loaded for a profile that is new, and for no other', only, async () => {
  const traced = async (seccomp: Seccomp | undefined): Promise<string> => {
    const output = scratch(`debug${readdirSync(sandbox().directory).length}`)
    const b = await bundle((c) => {
      if (seccomp !== undefined) c.linux.seccomp = seccomp
    })
    b.command(['syscall', 'alarm'])
    await b.run({ env: { ...runtimeEnvironment(), LD_DEBUG: 'files', LD_DEBUG_OUTPUT: output } })
    const directory = sandbox().directory
    return readdirSync(directory)
      .map((name) => join(directory, name))
      .filter((path) => path.startsWith(`${output}.`))
      .map((path) => readFileSync(path, 'utf8'))
      .join('')
  }
  match(await traced(profile()), /libseccomp/)
  const second = await traced(profile())
  match(second, /tsrunc_addon/)
  doesNotMatch(second, /libseccomp/)
  doesNotMatch(await traced(undefined), /libseccomp/)
  match(await traced(profile(1)), /libseccomp/)
})

test('seccomp-cache: another profile is another program', only, async () => {
  await filled()
  equal(await answer(profile(13)), 'EACCES')
  equal(await answer(), 'EPROTO')
  equal(entries().length, 2)
})

test('seccomp-cache: --dry-run keeps nothing', only, async () => {
  const b = await bundle((c) => {
    c.linux.seccomp = profile()
  })
  expectStatus(await callRuntime(['create', '--dry-run', '--bundle', b.path, b.id]))
  equal(existsSync(sandbox().marks.root), false)
})

test('seccomp-cache: no container can have the name of the cache, and list does not show it', only, async () => {
  await filled()
  const b = await bundle()
  const outcome = await callRuntime(['create', '--bundle', b.path, '~seccomp'])
  equal(outcome.status, 1)
  equal(expectStatus(await callRuntime(['list', '--quiet'])).stdout, '')
})

// Damage. Each entry is replaced by a sound one, and the container has its filter.

const LENGTHS = [0, 1, 15, 16, 80, 375, 376, 383]

for (const length of LENGTHS) {
  test(`seccomp-cache: an entry that ends after ${length} bytes is made anew`, only, async () => {
    const path = await filled()
    const before = readFileSync(path)
    truncateSync(path, length)
    equal(await answer(), 'EPROTO')
    deepEqual(readFileSync(entry()), before)
  })
}

const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'of other bytes': (path) => writeFileSync(path, Buffer.alloc(lstatSync(path).size, 0xa5)),
  'with a byte more': (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(1)])),
  'with an instruction more': (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(8)])),
  'of a gigabyte': (path) => truncateSync(path, 1 << 30),
  'of another owner': (path) => chownSync(path, 1000, 1000),
  'that others may write': (path) => chmodSync(path, 0o666),
  'that its group may read': (path) => chmodSync(path, 0o640),
  'with a second name': (path) => linkSync(path, scratch('second')),
  'that is a symbolic link': (path) => {
    renameSync(path, scratch('moved'))
    symlinkSync(scratch('moved'), path)
  },
  'that is a dangling link': (path) => {
    rmSync(path)
    symlinkSync(scratch('nowhere'), path)
  },
  'that is a FIFO': (path) => {
    rmSync(path)
    execFileSync('mkfifo', ['-m', '600', path])
  },
  'that is a device': (path) => {
    rmSync(path)
    execFileSync('mknod', ['-m', '600', path, 'c', '1', '5'])
  },
}

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`seccomp-cache: an entry ${what} is made anew`, only, async () => {
    const path = await filled()
    const before = readFileSync(path)
    damage(path)
    equal(await answer(), 'EPROTO')
    ok(isSound(entry()))
    deepEqual(readFileSync(entry()), before)
    equal(existsSync(scratch('nowhere')), false)
  })
}

test('seccomp-cache: a program that was weakened is not loaded', only, async () => {
  const path = await filled()
  const bytes = readFileSync(path)
  // SECCOMP_RET_ERRNO | EPROTO becomes SECCOMP_RET_ALLOW.
  const at = bytes.indexOf(Buffer.from([EPROTO, 0, 5, 0]))
  notEqual(at, -1)
  bytes.writeUInt32LE(0x7fff0000, at)
  writeFileSync(path, bytes)
  equal(await answer(), 'EPROTO')
})

test('seccomp-cache: the program of another profile is not taken for this one', only, async () => {
  const first = await filled()
  equal(await answer({ defaultAction: 'SCMP_ACT_ALLOW' }), '')
  const other = entries().find((path) => path !== first) ?? ''
  writeFileSync(first, readFileSync(other))
  equal(await answer(), 'EPROTO')
})

test('seccomp-cache: a directory in the place of an entry', only, async () => {
  const path = await filled()
  rmSync(path)
  mkdirSync(path)
  equal(await answer(), 'EPROTO')
})

// The directory. What is not the caller's alone is neither read nor written.

const DIRECTORIES: Readonly<Record<string, () => void>> = {
  'of another owner': () => chownSync(cache(), 1000, 1000),
  'that others may write': () => chmodSync(cache(), 0o777),
  'that others may read': () => chmodSync(cache(), 0o755),
  'that is a symbolic link': () => {
    renameSync(cache(), scratch('elsewhere'))
    symlinkSync(scratch('elsewhere'), cache())
  },
  'that is a file': () => {
    rmSync(cache(), { recursive: true })
    writeFileSync(cache(), '')
  },
}

for (const [what, change] of Object.entries(DIRECTORIES)) {
  test(`seccomp-cache: a directory ${what} is not used`, only, async () => {
    const path = await filled()
    change()
    const before = existsSync(path) ? readFileSync(path) : undefined
    if (before !== undefined) {
      // Would be noticed if it were believed or made anew.
      before.writeUInt32LE(0, 0)
      writeFileSync(path, before)
    }
    equal(await answer(), 'EPROTO')
    equal(await answer(profile(13)), 'EACCES')
    if (before !== undefined) {
      deepEqual(readFileSync(path), before)
      equal(entries().length, 1)
    }
  })
}

test(
  'seccomp-cache: a file system that is read-only or full does not keep a container from being made',
  only,
  async () => {
    await filled()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,mode=700', 'full', cache()])
    sandbox().undo.push(() => execFileSync('umount', ['-l', cache()]))
    writeFileSync(join(cache(), 'filler'), Buffer.alloc(4096))
    equal(await answer(), 'EPROTO')
    deepEqual(readdirSync(cache()), ['filler'])
    execFileSync('mount', ['-o', 'remount,ro', cache()])
    equal(await answer(), 'EPROTO')
  },
)

test('seccomp-cache: at most 64 programs are kept, the newest', only, async () => {
  const path = await filled()
  for (let index = 0; index < 80; index++) {
    const old = join(cache(), index.toString(16).padStart(64, '0'))
    writeFileSync(old, 'old', { mode: 0o600 })
    utimesSync(old, 1000 + index, 1000 + index)
  }
  equal(await answer(profile(13)), 'EACCES')
  equal(entries().length, 64)
  ok(existsSync(path))
  const left = entries().filter((name) => name.includes('/00000'))
  equal(Math.min(...left.map((name) => lstatSync(name).mtimeMs / 1000)), 1018)
})

test('seccomp-cache: containers that are made at the same time', only, async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => answer(profile(index % 2 === 0 ? 71 : 13))))
  deepEqual(
    answers,
    answers.map((_, index) => (index % 2 === 0 ? 'EPROTO' : 'EACCES')),
  )
  equal(entries().length, 2)
  ok(entries().every(isSound))
})
