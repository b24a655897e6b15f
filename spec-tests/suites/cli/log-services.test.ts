// --log journald:NAME, syslog:NAME and file:PATH, as with crun: what a service is sent, in a mount namespace that has one.
import { existsSync, readFileSync } from 'node:fs'
import {
  type Bundle,
  bundle,
  callRuntime,
  deepEqual,
  equal,
  eventually,
  launch,
  leftSoFar,
  match,
  notifyTool,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const HERE: TestOptions = { only: ['tsrunc'] }

const SERVICES = {
  journald: 'mount -t tmpfs none /run && mkdir -p /run/systemd/journal && ln -s "$SOCKET" /run/systemd/journal/socket',
  syslog: [
    'mount -t tmpfs none /mnt && cd /mnt && touch null zero urandom random',
    'for f in null zero urandom random; do mount --bind /dev/$f /mnt/$f; done',
    'ln -s "$SOCKET" log && ln -s /proc/self/fd fd && mount --rbind /mnt /dev && cd /',
  ].join('\n'),
} as const

interface Service {
  readonly call: { readonly within: readonly string[] } & { readonly global: readonly string[] }
  /** The messages, a newline as "|"; at least one, which may come after the end of who sent it. */
  readonly messages: () => Promise<readonly string[]>
}

const service = async (kind: keyof typeof SERVICES, name: string): Promise<Service> => {
  const socket = scratch('log.sock')
  const listener = launch([notifyTool(), socket])
  await eventually('the listener', () => listener.stdout().includes('listening') || undefined)
  const script = `set -e\nSOCKET=${socket}\n${SERVICES[kind]}\nexec "$@"`
  const within = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh']
  const heard = (): string[] =>
    listener
      .stdout()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('0 fds: '))
      .map((line) => line.slice(7))
  const messages = () => eventually('a message', () => (heard().length > 0 ? heard() : undefined))
  return { call: { within, global: ['--log', `${kind}:${name}`] }, messages }
}

const ways = {
  'what is found before anything is done': (b: Bundle) => {
    b.config.process.cwd = 'relative'
    return /cwd/
  },
  'what the kernel refuses': (b: Bundle) => {
    b.config.mounts.push({ destination: '/m', type: 'bind', source: '/no/such', options: ['bind'] })
    return /mount "\/m".*\/no\/such/
  },
} as const

for (const [title, change] of Object.entries(ways)) {
  test(
    `--log journald:NAME: create: ${title} is sent with priority and name, and is on standard error`,
    HERE,
    async () => {
      const [b, s] = [await bundle(), await service('journald', 'box')]
      const words = change(b)
      b.save()
      const { status, stderr } = await b.tryCreate(s.call)
      equal(status, 1)
      match(stderr, words)
      const last = (await s.messages()).at(-1) ?? ''
      match(last, /^PRIORITY=3\|SYSLOG_IDENTIFIER=box\|ID=box\|MESSAGE=tsrunc create: /)
      match(last, words)
      equal(last.endsWith(`${stderr.trimEnd()}|`), true, `${last} and ${stderr}`)
    },
  )
}

test('--log syslog:NAME: the message has facility and priority, name and pid', HERE, async () => {
  const [b, s] = [await bundle(), await service('syslog', 'box')]
  b.config.process.cwd = 'relative'
  b.save()
  equal((await b.tryCreate(s.call)).status, 1)
  match((await s.messages()).at(-1) ?? '', /^<11>box\[\d+\]: tsrunc create: .*cwd/)
})

for (const kind of ['journald', 'syslog'] as const) {
  test(`--log ${kind}: a verb without node; without a name it is tsrunc's`, HERE, async () => {
    const s = await service(kind, '')
    const { global, ...rest } = s.call
    equal((await callRuntime([...global, 'state', 'no-such-container'], rest)).status, 1)
    match((await s.messages()).join(), kind === 'syslog' ? /^<11>tsrunc\[\d+\]: / : /\|SYSLOG_IDENTIFIER=tsrunc\|/)
    match((await s.messages()).join(), /no-such-container/)
  })

  test(`--log ${kind}: a service that is not there is an error, and nothing is made`, HERE, async () => {
    const b = await bundle()
    const within = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c']
    const script = 'mount -t tmpfs none /run; test ! -e /dev/log || mount --bind /dev/null /dev/log; exec "$@"'
    const options = { within: [...within, script, 'sh'], global: ['--log', `${kind}:x`] }
    const { status, stderr } = await b.tryCreate(options)
    equal(status, 1)
    match(stderr, /open the log: connect (\/run\/systemd\/journal\/socket|\/dev\/log)/)
    deepEqual(await leftSoFar(), [])
  })
}

test('--log file:PATH is the same as --log PATH', { peers: { runc: 'a relative path of that name' } }, async () => {
  const log = scratch('log')
  await callRuntime(['--log', `file:${log}`, 'state', 'no-such-container'])
  equal(existsSync(log), true)
  match(readFileSync(log, 'utf8'), /no-such-container|does not exist|No such/)
})
