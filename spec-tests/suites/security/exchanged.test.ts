// A root file system that a neighbour can write to, in which a place that the runtime mounts on, masks, makes or enters is exchanged for
// a link to the host all the time. Volumes, /dev/null, the terminal's name, sysctls and labels are raced in the files of their advisories.
//
// Seen to fail with paths resolved by the host instead of beneath the root's descriptor: those of sysfs, devices, devpts and the working
// directory that is made. The others meet a second defence then, after pivot_root(2) or where what was opened is looked at.
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, bundle, consoleSocket, equal, match, type Outcome, ok, startPlanner, test } from '../../lib'
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
  readonly file?: boolean
  /** The type of what is mounted there, and must be in the container then, wherever its place is by now. */
  readonly type?: string
  readonly prepare?: (b: Bundle) => void
}

const withoutDev = (b: Bundle): void => {
  b.config.mounts = b.config.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
}

const PLACES: Readonly<Record<string, Place>> = {
  'the place of procfs': { path: 'proc' },
  'the place of sysfs': { path: 'sys', type: 'sysfs' },
  'the place of the devices': { path: 'dev', type: 'devpts' },
  'a /dev without a mount': { path: 'dev', prepare: withoutDev },
  'a device': { path: 'dev/null', target: 'null', file: true, prepare: withoutDev },
  'the place of devpts': {
    path: 'dev/pts',
    type: 'devpts',
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
    if (file) b.file(path, '')
    else mkdirSync(join(b.rootfs, path), { recursive: true })
    symlinkSync(join(canary.path, target), join(b.rootfs, 'link'))
  })

/** It has run in its own root with its own mounts, or was refused. */
const isInside = ({ status, stdout, stderr }: Outcome, type: string | undefined): void => {
  if (status !== 0) {
    equal(status, 1, stderr)
    ok(stderr.startsWith('tsrunc run: '), stderr)
  } else if (type !== undefined) {
    match(stdout, new RegExp(` - ${type} `))
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
    b.command(['mounts'], ['ls', '.'], ['ls', `/${place.path}`])
    await whileExchanging(
      join(b.rootfs, place.path),
      join(b.rootfs, 'link'),
      async () => {
        isInside(await b.tryRun(WARM), place.type)
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
  const b = await racedBundle({ path: 'dev/console', target: 'console', file: true, prepare: withoutDev }, canary)
  b.config.process.terminal = true
  b.command(['sleep', '60'])
  await whileExchanging(
    join(b.rootfs, 'dev/console'),
    join(b.rootfs, 'link'),
    async () => {
      const terminal = await consoleSocket()
      await b.tryCreate({ ...WARM, flags: ['--console-socket', terminal.socket] })
      terminal.close()
      await b.delete({ flags: ['--force'] })
      canary.isUntouched()
    },
    1 / 10,
  )
})
