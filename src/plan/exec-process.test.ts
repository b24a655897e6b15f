import { describe, expect, test } from 'vitest'
import type { Process } from '../spec/types'
import { type ExecFlags, execProcess, parseCapability, parseUser } from './exec-process'
import { NO_FLAGS } from './fixtures'

const CONFIGURED: Process = {
  cwd: '/work',
  args: ['/bin/server'],
  env: ['PATH=/bin'],
  terminal: true,
  consoleSize: { height: 1n, width: 2n },
  user: { uid: 5, gid: 6, umask: 0o22, additionalGids: [7] },
  capabilities: {
    bounding: ['CAP_KILL'],
    effective: ['CAP_KILL'],
    permitted: ['CAP_KILL'],
    inheritable: ['CAP_CHOWN'],
  },
  apparmorProfile: 'profile',
  selinuxLabel: 'label',
  noNewPrivileges: true,
  oomScoreAdj: 3,
}

const changed = (flags: Partial<ExecFlags>, file?: Process): Process =>
  execProcess(CONFIGURED, file, { ...NO_FLAGS, ...flags })

describe('the process of exec', () => {
  test('is that of the configuration without what belongs to its own program', () => {
    const { terminal: _, consoleSize: __, ...rest } = CONFIGURED
    expect(changed({ args: ['ls'] })).toEqual({ ...rest, args: ['ls'] })
    expect(execProcess(undefined, undefined, { ...NO_FLAGS, args: ['ls'] })).toEqual({ cwd: '/', args: ['ls'] })
  })

  test.each<[Partial<ExecFlags>, Partial<Process>]>([
    [{ cwd: '/tmp' }, { cwd: '/tmp' }],
    [{ env: ['A=1', 'B='] }, { env: ['PATH=/bin', 'A=1', 'B='] }],
    [{ user: '9' }, { user: { uid: 9, gid: 6, umask: 0o22, additionalGids: [7] } }],
    [{ user: '9:10' }, { user: { uid: 9, gid: 10, umask: 0o22, additionalGids: [7] } }],
    [{ additionalGids: ['8,9', '10'] }, { user: { uid: 5, gid: 6, umask: 0o22, additionalGids: [7, 8, 9, 10] } }],
    [{ tty: true }, { terminal: true }],
    [{ processLabel: 'other' }, { selinuxLabel: 'other' }],
    [{ apparmor: 'other' }, { apparmorProfile: 'other' }],
    [{ noNewPrivs: false }, { noNewPrivileges: false }],
    [{ noNewPrivs: true }, { noNewPrivileges: true }],
  ])('%j', (flags, expected) => {
    expect(changed(flags)).toMatchObject(expected)
  })

  test('capabilities are never added to the inheritable set, and to the ambient one where they are in it', () => {
    expect(changed({ caps: ['net_admin', 'CAP_CHOWN', 'kill'] }).capabilities).toEqual({
      bounding: ['CAP_KILL', 'CAP_NET_ADMIN', 'CAP_CHOWN'],
      effective: ['CAP_KILL', 'CAP_NET_ADMIN', 'CAP_CHOWN'],
      permitted: ['CAP_KILL', 'CAP_NET_ADMIN', 'CAP_CHOWN'],
      inheritable: ['CAP_CHOWN'],
      ambient: ['CAP_CHOWN'],
    })
  })

  test('a process file takes from the configuration what it does not say and what keeps the process in its bounds', () => {
    const file: Process = { cwd: '/', args: ['/bin/x'], user: { uid: 0, gid: 0 } }
    const { capabilities, apparmorProfile, selinuxLabel, oomScoreAdj } = CONFIGURED
    expect(changed({}, file)).toEqual({
      ...file,
      capabilities,
      apparmorProfile,
      selinuxLabel,
      oomScoreAdj,
      user: { uid: 0, gid: 0, umask: 0o22 },
    })
    expect(changed({ args: ['/bin/y'], user: '3' }, { ...file, oomScoreAdj: 9 })).toMatchObject({
      args: ['/bin/y'],
      oomScoreAdj: 9,
      user: { uid: 3, gid: 0 },
    })
  })

  test.each([
    [{ cwd: 'tmp' }, /^--cwd: "tmp" is no absolute path/],
    [{ env: ['A'] }, /^--env: "A" has not the form NAME=VALUE/],
    [{ env: ['=A'] }, /^--env: "=A"/],
    [{ additionalGids: ['1,x'] }, /^--additional-gids: "x" is no group id/],
    [{ caps: ['flying'] }, /^--cap: "flying" is no capability/],
  ] as const)('%j is refused', (flags, message) => {
    expect(() => changed(flags)).toThrow(message)
  })
})

describe('--user', () => {
  test.each([
    ['0', { uid: 0 }],
    ['4294967294:1', { uid: 4294967294, gid: 1 }],
  ])('%s', (text, expected) => {
    expect(parseUser(text)).toEqual(expected)
  })

  // "1" that becomes 0:0 was CVE-2026-30892.
  test.each([
    '',
    ':',
    '1:',
    ':1',
    'root',
    '1:root',
    '01',
    '+1',
    '-1',
    ' 1',
    '1 ',
    '0x1',
    '1.0',
    '4294967295',
    '1:2:3',
    '1,2',
  ])('%j is no user', (text) => {
    expect(() => parseUser(text)).toThrow(/^--user: /)
  })
})

test('a capability is known by its name with or without CAP_, in any case', () => {
  for (const text of ['kill', 'CAP_KILL', 'Cap_Kill', 'KILL']) expect(parseCapability(text)).toBe('CAP_KILL')
  for (const text of ['', 'CAP_', 'ALL', '5']) expect(() => parseCapability(text)).toThrow(/^--cap: /)
})
