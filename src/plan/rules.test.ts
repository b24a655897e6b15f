import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MOUNT_OPTIONS } from '../tables/mount-options'
import { planDescriptors } from './descriptors'
import { BASE, FACTS_V2, OPTIONS, resolve, withLinux, withProcess } from './fixtures'
import { signalNumber } from './header'
import { mappedId } from './id-maps'
import { parseMountOptions } from './mount-options'
import { planNamespaces } from './namespaces'
import { cleanPath, isWithin, pointerStep } from './paths'
import { planToJson } from './print'
import { planEnvironment } from './process'
import { seccompRequest } from './seccomp-rules'
import { sysctlPath } from './sysctl'

describe('paths', () => {
  test('cleanPath is what a path means beneath /', () => {
    const piece = fc.constantFrom('/', '.', '..', 'a', '.b', 'c d', '//')
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const path = pieces.join('')
        expect(cleanPath(path)).toBe(posix.resolve('/', path))
      }),
    )
  })

  test('isWithin compares whole names', () => {
    expect(isWithin('/dev/a', '/dev')).toBe(true)
    expect(isWithin('/dev', '/dev')).toBe(true)
    expect(isWithin('/devices', '/dev')).toBe(false)
    expect(isWithin('/a', '/')).toBe(true)
  })

  test('pointerStep (RFC 6901)', () => {
    expect(pointerStep('a/b~c')).toBe('a~1b~0c')
  })
})

describe('mount options', () => {
  const words = [...Object.keys(MOUNT_OPTIONS), 'idmap=uids=0-1-1;gids=0-1-1']
  test.each(words)('%s is not passed to the file system', (word) => {
    expect(parseMountOptions({ destination: '/a', options: [word] }).data).toEqual([])
  })

  test('the last of two words counts, but noatime wins over relatime as with mount(2)', () => {
    const { flags, set, clear } = parseMountOptions({
      destination: '/a',
      options: ['ro', 'noexec', 'rw', 'noatime', 'relatime'],
    })
    expect({ flags, set, clear }).toEqual({ flags: 0x200408n, set: 0x18n, clear: 0x71n })
  })

  test('a name that every object has is an option of the file system', () => {
    expect(parseMountOptions({ destination: '/a', options: ['constructor', ''] }).data).toEqual(['constructor'])
  })
})

describe('environment', () => {
  const environment = (env: readonly string[]) => planEnvironment({ cwd: '/', env }, [])

  test('the last entry of a name stays, in its place', () => {
    expect(environment(['A=1', 'B=2', 'A=3', 'HOME=/h'])).toEqual(['B=2', 'A=3', 'HOME=/h'])
  })

  test('an empty HOME is none: it is looked up in the container', () => {
    expect(environment(['HOME=', 'A=1'])).toEqual(['A=1'])
    const homes = (env: readonly string[]) =>
      resolve(withProcess({ env })).plan.init.filter(({ kind }) => kind === 'findHome')
    expect(homes(['HOME='])).toHaveLength(1)
    expect(homes(['HOME=/x'])).toEqual([])
  })

  test('a value may hold equals signs', () => {
    expect(environment(['A=b=c', 'HOME=/'])).toEqual(['A=b=c', 'HOME=/'])
  })
})

describe('LISTEN_FDS', () => {
  const call = (environment: Record<string, string>) =>
    planDescriptors({ ...OPTIONS, environment, caller: { fds: [0, 1, 2, 3, 4], pid: 9 } })

  test('counts only for this very process', () => {
    expect(call({ LISTEN_FDS: '2', LISTEN_PID: '9' })).toEqual({ count: 2, env: ['LISTEN_FDS=2', 'LISTEN_PID=1'] })
    expect(call({ LISTEN_FDS: '2', LISTEN_PID: '8' }).count).toBe(0)
    expect(call({ LISTEN_FDS: '2' }).count).toBe(0)
    expect(call({ LISTEN_FDS: 'x', LISTEN_PID: '9' }).count).toBe(0)
  })
})

test('sysctl names: the first separator decides (sysctl(8))', () => {
  expect(sysctlPath('net.ipv4.ip_forward')).toBe('net/ipv4/ip_forward')
  expect(sysctlPath('net/ipv4/conf/eth0.100/forwarding')).toBe('net/ipv4/conf/eth0.100/forwarding')
  expect(sysctlPath('net.ipv4.conf.eth0/100.forwarding')).toBe('net/ipv4/conf/eth0.100/forwarding')
})

test('mappedId', () => {
  const mappings = [
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 100000, size: 10 },
  ]
  expect([0, 1, 10, 11].map((id) => mappedId(mappings, id))).toEqual([1000, 100000, 100009, undefined])
})

test('signal names and numbers', () => {
  const words = ['15', 'TERM', 'sigterm', 'SIGRTMIN', 'RTMIN+3', 'SIGRTMAX-14', 'RTMAX', '64']
  expect(words.map(signalNumber)).toEqual([15, 15, 15, 34, 37, 50, 64, 64])
  for (const word of ['0', '65', 'FOO', 'RTMIN+31', 'RTMAX-31', '', '-9', 'toString'])
    expect(signalNumber(word)).toBeUndefined()
})

describe('namespaces', () => {
  test('a path to the caller’s own is nothing to enter; an empty path is a new one', () => {
    const facts = { ...FACTS_V2, namespaces: { ...FACTS_V2.namespaces, '/own': '4:2', '/other': '4:77' } }
    const spec = withLinux({
      namespaces: [
        { type: 'network', path: '/own' },
        { type: 'ipc', path: '/other' },
        { type: 'pid', path: '' },
        { type: 'uts', path: '/unreadable' },
      ],
    })
    const { kinds, paths } = planNamespaces(spec, facts)
    expect(kinds).toMatchObject({ network: 'host', ipc: 'joined', pid: 'new', uts: 'joined', mount: 'host' })
    expect(paths).toEqual({ ipc: '/other', uts: '/unreadable' })
  })
})

describe('seccomp', () => {
  test('several conditions on one argument are rules of their own, on several arguments one rule', () => {
    const condition = (index: number, value: number | bigint) => ({ index, value, op: 'SCMP_CMP_EQ' })
    const { rules } = seccompRequest({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [condition(0, 1), condition(0, 2)] },
        {
          names: ['clone', 'mmap'],
          action: 'SCMP_ACT_ALLOW',
          args: [condition(0, 18446744073709551615n), condition(1, 2)],
        },
      ],
    })
    expect(rules.map(({ name, conditions }) => [name, conditions.map(({ index, value }) => [index, value])])).toEqual([
      ['socket', [[0, 1n]]],
      ['socket', [[0, 2n]]],
      [
        'clone',
        [
          [0, 18446744073709551615n],
          [1, 2n],
        ],
      ],
      [
        'mmap',
        [
          [0, 18446744073709551615n],
          [1, 2n],
        ],
      ],
    ])
  })

  test('actions and their error numbers', () => {
    const action = (word: string, errnoRet?: number) =>
      seccompRequest({ defaultAction: word, ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }) })
        .defaultAction
    expect(action('SCMP_ACT_ERRNO')).toBe(0x00050001)
    expect(action('SCMP_ACT_ERRNO', 38)).toBe(0x00050026)
    expect(action('SCMP_ACT_ERRNO', 0)).toBe(0x00050000)
    expect(action('SCMP_ACT_TRACE', 7)).toBe(0x7ff00007)
    expect(action('SCMP_ACT_KILL_PROCESS')).toBe(0x80000000)
  })

  test('WAIT_KILLABLE_RECV is dropped with a warning: it is about NOTIFY', () => {
    const flags = ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']
    const { plan, warnings } = resolve(withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags } }))
    expect(plan.initStart.find(({ kind }) => kind === 'setSeccomp')).toMatchObject({ flags: 2n })
    expect(warnings).toHaveLength(1)
  })
})

test('capabilities that the kernel does not have are left out with a warning; unknown names are the validation’s', () => {
  const facts = { ...FACTS_V2, lastCapability: 37 }
  const bounding = ['CAP_BPF', 'CAP_CHOWN', 'CAP_NOBODY_KNOWS', 'toString']
  const { plan, warnings } = resolve(withProcess({ capabilities: { bounding } }), {}, facts)
  expect(plan.init.find(({ kind }) => kind === 'setBoundingSet')).toMatchObject({ keep: 1n })
  expect(warnings).toEqual([
    'the kernel does not have the capability CAP_BPF, it is left out (config.json /process/capabilities/bounding/0)',
  ])
})

describe('planToJson', () => {
  test('is JSON, with 64-bit numbers exact and bytes told', () => {
    const spec = withProcess({ rlimits: [{ type: 'RLIMIT_AS', soft: 9007199254740993n, hard: 18446744073709551615n }] })
    const text = planToJson(resolve(spec).plan)
    expect(JSON.parse(text)).toMatchObject({ version: 1, header: { id: 'c1', config: { bytes: 2, base64: 'e30=' } } })
    expect(text).toContain('"soft": 9007199254740993,')
    expect(text).toContain('"hard": 18446744073709551615')
  })

  test('the plan is frozen', () => {
    expect(Object.isFrozen(resolve(BASE).plan)).toBe(true)
  })
})
