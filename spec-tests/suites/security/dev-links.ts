import { type Bundle, bundle, type Config, equal, type TestOptions, test } from '../../lib'
import { makeCanary } from './canary'
import { replaceByLink } from './links'

const device = (c: Config): void => {
  c.linux.devices = [
    { path: '/dev/extra', type: 'c', major: 1, minor: 7, uid: 1000, gid: 1000, fileMode: 0o666 },
    { path: '/dev/deep/new', type: 'c', major: 1, minor: 5 },
  ]
}

const CONFIGURATIONS: Readonly<Record<string, (c: Config) => void>> = {
  'and the configuration mounts nothing on it': (c) => {
    c.mounts = c.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
  },
  'and the configuration mounts a tmpfs on it': () => undefined,
  'and the configuration mounts only what is beneath it': (c) => {
    c.mounts = c.mounts.filter(({ destination }) => destination !== '/dev')
  },
}

/** Either it is refused, or nothing of the host's directory was changed and the container has devices of its own. */
const leavesHost = async (change: (c: Config, b: Bundle, outside: string) => void): Promise<void> => {
  const canary = makeCanary()
  const b = await bundle((c, b) => {
    c.root.readonly = false
    device(c)
    change(c, b, canary.path)
  })
  const commands = [
    ['stat', '/dev/null'],
    ['stat', '/dev/extra'],
  ] as const
  b.command(...commands)
  const outcome = await b.tryRun()
  canary.isUntouched()
  if (outcome.status === 0) {
    for (const status of b.answers(outcome.stdout, commands)) {
      equal(status.type, 'char')
    }
  }
}

/** Tests with links of the image to a directory of the host: at /dev itself and at what a runtime makes in it. */
export const devLinkTests = (cve: string, links: readonly string[], options: TestOptions = {}): void => {
  for (const link of links) {
    for (const [how, configure] of Object.entries(CONFIGURATIONS)) {
      for (const relative of [false, true]) {
        const what = relative ? 'a relative link' : 'a link'
        test(
          `${cve}: where /${link} of the image is ${what} to the host, ${how}, the host is not changed`,
          options,
          async () => {
            await leavesHost((c, b, outside) => {
              configure(c)
              // A link at /dev/ptmx goes to the host's ptmx; one at /dev to the directory.
              const name = link.split('/')[1]
              const target =
                name === undefined || name === 'pts' || name === 'shm' || name === 'deep'
                  ? outside
                  : `${outside}/${name}`
              replaceByLink(b, link, relative ? `../../../../../../../..${target}` : target)
            })
          },
        )
      }
    }
  }
}
