// config-linux.md "Seccomp": the flags that the kernel is given; and crun's annotations that change the program.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import {
  type Bundle,
  bundle,
  callRuntime,
  deepEqual,
  equal,
  expectStatus,
  launch,
  match,
  outerFilters,
  requires,
  requiresThat,
  runtime,
  type Seccomp,
  type SeccompRule,
  sandbox,
  scratch,
  seccompAgent,
  test,
} from '../../lib'

const alarm: SeccompRule = { names: ['alarm'], action: 'SCMP_ACT_ERRNO', errnoRet: 71 }
const profile = (more: Partial<Seccomp> = {}): Seccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [alarm],
  ...more,
})

/** The flags that seccomp(2) is called with, as strace writes them. */
const flagsOf = async (b: Bundle): Promise<string> => {
  requiresThat(existsSync('/usr/bin/strace'), 'strace')
  b.command(['echo', 'x'])
  const output = scratch('trace')
  sandbox().containers.add(b.id)
  const command = [runtime().path, '--root', sandbox().marks.root, 'run', '--bundle', b.path, b.id]
  expectStatus(
    await launch(['strace', '-f', '-q', '-e', 'trace=seccomp', '-e', 'signal=none', '-o', output, ...command]).exited,
  )
  const call = /seccomp\(SECCOMP_SET_MODE_FILTER, ([A-Z_|0-9]+), \{len=\d+.*= 0$/m.exec(readFileSync(output, 'utf8'))
  return call?.[1] ?? readFileSync(output, 'utf8')
}

const withFlags = (flags: string[] | undefined): Promise<Bundle> =>
  bundle((c) => {
    c.process.noNewPrivileges = true
    c.linux.seccomp = profile(flags === undefined ? {} : { flags })
  })

test('config-linux.md#seccomp [SEC-4a]: without flags the kernel is given SPEC_ALLOW, as runc and crun do', {
  peers: { runc: 'gives TSYNC too' },
}, async () => {
  equal(await flagsOf(await withFlags(undefined)), 'SECCOMP_FILTER_FLAG_SPEC_ALLOW')
})

test('config-linux.md#seccomp [SEC-4a]: an empty list of flags gives none', {
  peers: { runc: 'gives TSYNC and SPEC_ALLOW' },
}, async () => {
  equal(await flagsOf(await withFlags([])), '0')
})

test('config-linux.md#seccomp [SEC-4a]: flags are given as they are listed', {
  peers: { runc: '1.1 refuses all flags' },
}, async () => {
  equal(await flagsOf(await withFlags(['SECCOMP_FILTER_FLAG_LOG'])), 'SECCOMP_FILTER_FLAG_LOG')
})

// crun.1: run.oci.seccomp_fail_unknown_syscall.

const unknown = (value: string | undefined) =>
  bundle((c) => {
    c.linux.seccomp = profile({ syscalls: [alarm, { ...alarm, names: ['getsid', 'no_such_call'] }] })
    if (value !== undefined) c.annotations = { 'run.oci.seccomp_fail_unknown_syscall': value }
  })

const crunsOwn = { peers: { runc: 'does not know it' } } as const

test('crun.1: run.oci.seccomp_fail_unknown_syscall makes an unknown system call an error', crunsOwn, async () => {
  await (await unknown('1')).refused(/no_such_call.*\/linux\/seccomp\/syscalls\/1\/names\/1/)
})

test('crun.1: without it, and with the value 0, unknown system calls are passed over', async () => {
  for (const value of [undefined, '0']) {
    const [call] = await (await unknown(value)).probe(['syscall', 'alarm'])
    equal(call.error, 'EPROTO')
  }
})

test('crun.1: a program that was kept without the annotation is not taken with it', crunsOwn, async () => {
  const [call] = await (await unknown(undefined)).probe(['syscall', 'alarm'])
  equal(call.error, 'EPROTO')
  await (await unknown('1')).refused(/no_such_call/)
})

// crun.1: run.oci.seccomp_bpf_data.

type Instruction = readonly [code: number, jt: number, jf: number, k: number]

const LOAD = 0x20
const JUMP_EQUAL = 0x15
const RETURN = 0x06
const ALLOW = 0x7fff0000
const NOTIFY = 0x7fc00000
const EPROTO = 0x00050047
const ALARM = 37

/** struct sock_filter[], little endian. */
const assemble = (...program: Instruction[]): string => {
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(([code, jt, jf, k], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(jt, index * 8 + 2)
    bytes.writeUInt8(jf, index * 8 + 3)
    bytes.writeUInt32LE(k, index * 8 + 4)
  })
  return bytes.toString('base64')
}

const onAlarm = (action: number): string =>
  assemble([LOAD, 0, 0, 0], [JUMP_EQUAL, 0, 1, ALARM], [RETURN, 0, 0, action], [RETURN, 0, 0, ALLOW])

const withProgram = (data: string, annotations: Record<string, string> = {}, seccomp?: Seccomp) =>
  bundle((c) => {
    c.annotations = { 'run.oci.seccomp_bpf_data': data, ...annotations }
    if (seccomp !== undefined) c.linux.seccomp = seccomp
  })

test('crun.1: run.oci.seccomp_bpf_data is the filter, instead of the profile', crunsOwn, async () => {
  requires('x86_64')
  const other = profile({ syscalls: [{ names: ['getsid'], action: 'SCMP_ACT_ERRNO' }] })
  const b = await withProgram(onAlarm(EPROTO), {}, other)
  const calls = await b.probe(['syscall', 'alarm'], ['syscall', 'getsid', '0'], ['report'])
  deepEqual([calls[0].error, calls[1].error, calls[2].seccomp], ['EPROTO', '', 2])
})

test('crun.1: run.oci.seccomp_bpf_data without a profile', {
  peers: { runc: 'does not know it' },
  sometimes: true,
}, async () => {
  requires('x86_64')
  for (const noNewPrivileges of [true, false]) {
    const b = await withProgram(onAlarm(EPROTO))
    b.config.process.noNewPrivileges = noNewPrivileges
    const [call, report] = await b.probe(['syscall', 'alarm'], ['report'])
    deepEqual([call.error, report.seccompFilters], ['EPROTO', String(outerFilters() + 1)])
    equal(report.capabilities.effective.includes(21), false)
  }
})

test('crun.1: a program that notifies has a listener too', crunsOwn, async () => {
  requires('x86_64')
  const agent = await seccompAgent({ [ALARM]: 71 })
  const b = await withProgram(onAlarm(NOTIFY), { 'run.oci.seccomp.receiver': agent.socket }, profile({ syscalls: [] }))
  const [call] = await b.probe(['syscall', 'alarm'])
  equal(call.error, 'EPROTO')
})

for (const [what, data, story] of [
  ['that is not base64', 'AAAA%AAA', /is not base64/],
  ['that is empty', '', /0 bytes/],
  ['of half an instruction', 'AAAAAA==', /4 bytes/],
  ['of too many instructions', assemble(...Array<Instruction>(4097).fill([RETURN, 0, 0, ALLOW])), /4096/],
] as const) {
  test(`crun.1: a program ${what} is an error`, { only: ['tsrunc'] }, async () => {
    const b = await withProgram(data)
    match(await b.refused(story), /\/annotations\/run\.oci\.seccomp_bpf_data/)
  })
}

test('crun.1: a program that the kernel refuses is an error', { only: ['tsrunc'] }, async () => {
  // It has no return at its end.
  const b = await withProgram(assemble([LOAD, 0, 0, 0]))
  b.command(['echo', 'x'])
  const outcome = await b.tryRun()
  equal(outcome.status, 1)
  match(outcome.stderr, /seccomp.*refuses the program.*\/annotations\/run\.oci\.seccomp_bpf_data/)
})

test('features-linux.md#seccomp [FEA-2b]: what is listed as supported flags is taken', {
  only: ['tsrunc'],
}, async () => {
  const { linux } = JSON.parse(expectStatus(await callRuntime(['features'])).stdout) as {
    linux: { seccomp: { knownFlags: string[]; supportedFlags: string[]; actions: string[] } }
  }
  equal(linux.seccomp.actions.includes('SCMP_ACT_NOTIFY'), true)
  deepEqual(linux.seccomp.knownFlags, linux.seccomp.supportedFlags)
  const release = execFileSync('uname', ['-r'], { encoding: 'utf8' })
  const agent = await seccompAgent()
  const b = await bundle((c) => {
    c.linux.seccomp = {
      ...profile({ flags: linux.seccomp.supportedFlags, listenerPath: agent.socket }),
      syscalls: [{ names: ['getsid'], action: 'SCMP_ACT_NOTIFY' }],
    }
  })
  const [call] = await b.probe(['syscall', 'getsid', '0'])
  equal(call.error, '', release)
})
