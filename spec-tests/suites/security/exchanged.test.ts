// A root file system that a neighbour can write to, in which a place that the runtime mounts on, masks, makes or enters is exchanged for
// a link to the host all the time. Volumes, /dev/null, the terminal's name, sysctls and labels are raced in the files of their advisories.
//
// Seen to fail (npm run mutations -- exchanged) with paths resolved by the host instead of beneath the root's descriptor, for procfs also
// with links at its place followed; for a device and the console with a link in the place of the file followed; for the root with its path
// looked up again. What lies above masked and read-only paths and the working directory cannot fail by that alone: nothing is made there,
// and a mount on the host's directory would be in the container's mount namespace only, where pivot_root(2) puts it out of reach.
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Command,
  consoleSocket,
  equal,
  makeRootfs,
  match,
  type Outcome,
  ok,
  startPlanner,
  test,
} from '../../lib'
import { type Canary, makeCanary } from './canary'
import { PATIENCE, whileExchanging } from './race'

/** The directory of the host has a file of this name, and no container has. */
const OUTSIDE = 'extra'
const WARM = { global: ['--planner', 'on'] } as const

interface Place {
  /** What is exchanged, in the root. */
  readonly path: string
  /** What it is exchanged for, in the directory of the host. */
  readonly target?: string
  /** `prepare` has made it, and it is no directory. */
  readonly file?: boolean
  /** What the container tells of the mount there, wherever its place is by now. */
  readonly mounted?: RegExp
  readonly prepare?: (b: Bundle) => void
}

/** procfs, from which the mounts are read, may itself be at either place, and goes to the other one at any time. */
const PROCFS: readonly Command[] = Array.from({ length: 20 }, (_, index) => [
  'statfs',
  index % 2 === 0 ? '/proc' : '/link',
])

const withoutDev = (b: Bundle): void => {
  b.config.mounts = b.config.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
}

const PLACES: Readonly<Record<string, Place>> = {
  'the place of procfs': { path: 'proc', mounted: /"type":40864\b/ },
  'the place of sysfs': { path: 'sys', mounted: / - sysfs / },
  'the place of the devices': { path: 'dev', mounted: / - devpts / },
  'a /dev without a mount': { path: 'dev', target: 'empty', prepare: withoutDev },
  'a device': {
    path: 'dev/null',
    target: 'device',
    file: true,
    prepare: (b) => {
      withoutDev(b)
      // With a mode of its own: what is there already is given it.
      b.config.linux.devices = [{ path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o666 }]
      execFileSync('mknod', ['-m', '666', join(b.rootfs, 'dev/null'), 'c', '1', '3'])
    },
  },
  'the place of devpts': {
    path: 'dev/pts',
    mounted: / - devpts /,
    prepare: (b) => {
      b.config.mounts = b.config.mounts.filter(({ destination }) => !/^\/dev(\/shm|\/mqueue)?$/.test(destination))
    },
  },
  'what lies above a masked path': {
    path: 'place',
    prepare: (b) => {
      b.directory('place')
      b.file('place/null', 'secret')
      b.config.linux.maskedPaths = ['/place/null', '/place/self']
    },
  },
  'what lies above a read-only path': {
    path: 'place',
    prepare: (b) => {
      b.directory('place/self')
      b.config.linux.readonlyPaths = ['/place', '/place/self']
    },
  },
  'the working directory': {
    path: 'place',
    prepare: (b) => {
      b.directory('place')
      b.config.process.cwd = '/place'
    },
  },
  'a working directory that is made': {
    path: 'place',
    prepare: (b) => {
      b.directory('place')
      b.config.process.cwd = '/place/made/deep'
    },
  },
}

const racedBundle = ({ path, file = false, target = '', prepare }: Place, canary: Canary): Promise<Bundle> =>
  bundle((c, b) => {
    c.root.readonly = false
    prepare?.(b)
    if (!file) mkdirSync(join(b.rootfs, path), { recursive: true })
    symlinkSync(join(canary.path, target), join(b.rootfs, 'link'))
  })

/** It has run in its own root with its own mounts, or was refused. */
const isInside = ({ status, stdout, stderr }: Outcome, mounted: RegExp | undefined): void => {
  if (status !== 0) {
    equal(status, 1, stderr)
    ok(stderr.startsWith('tsrunc run: '), stderr)
  } else if (mounted !== undefined) {
    match(stdout, mounted)
  }
  ok(!stdout.includes(`"${OUTSIDE}"`), stdout)
}

for (const [what, place] of Object.entries(PLACES)) {
  test(`${what} is exchanged for a link: nothing of the host is changed or seen`, {
    only: ['tsrunc'],
    timeout: PATIENCE,
  }, async () => {
    startPlanner()
    const canary = makeCanary()
    const b = await racedBundle(place, canary)
    b.command(['mounts'], ['ls', '.'], ['ls', `/${place.path}`], ...PROCFS)
    await whileExchanging(
      join(b.rootfs, place.path),
      join(b.rootfs, 'link'),
      async () => {
        isInside(await b.tryRun(WARM), place.mounted)
        canary.isUntouched()
      },
      1 / 10,
    )
  })
}

test('the place of the console is exchanged for a link: nothing of the host is changed', {
  only: ['tsrunc'],
  timeout: PATIENCE,
}, async () => {
  startPlanner()
  const canary = makeCanary()
  const prepare = (b: Bundle): void => {
    withoutDev(b)
    b.config.mounts.push({
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['newinstance', 'ptmxmode=0666', 'mode=0620'],
    })
    b.file('dev/console', '')
  }
  // Nothing is there: what followed the link would make it.
  const b = await racedBundle({ path: 'dev/console', target: 'empty/console', file: true, prepare }, canary)
  b.config.process.terminal = true
  b.command(['sleep', '60'])
  await whileExchanging(
    join(b.rootfs, 'dev/console'),
    join(b.rootfs, 'link'),
    async () => {
      const terminal = await consoleSocket()
      const { status, stderr } = await b.tryCreate({ ...WARM, flags: ['--console-socket', terminal.socket] })
      ok(status === 0 || stderr.includes('/dev/console'), stderr)
      terminal.close()
      await b.delete({ flags: ['--force'] })
      canary.isUntouched()
    },
    1 / 10,
  )
})

test('the root itself is exchanged for another one: a container is wholly in one of them', {
  only: ['tsrunc'],
  timeout: PATIENCE,
}, async () => {
  startPlanner()
  const canary = makeCanary()
  const b = await bundle((_, b) => b.file('first', ''))
  // What it is exchanged for holds the container's other root beside what is not the container's.
  const other = makeRootfs(join(canary.path, '..', 'other'))
  writeFileSync(join(other, 'second'), '')
  symlinkSync(other, join(b.path, 'link'))
  b.command(['ls', '/'], ['mounts'])
  const seen = new Set<string>()
  await whileExchanging(b.rootfs, join(b.path, 'link'), async () => {
    const { status, stdout, stderr } = await b.tryRun(WARM)
    equal(status, 0, stderr)
    const markers = ['first', 'second'].filter((name) => stdout.includes(`"${name}"`))
    equal(markers.length, 1, stdout)
    seen.add(markers.join())
    // Each mount is in the root that was entered.
    for (const { destination } of b.config.mounts) ok(stdout.includes(` ${destination} `), `${destination}: ${stdout}`)
    canary.isUntouched()
  })
  equal(seen.size, 2)
})
