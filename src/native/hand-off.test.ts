import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

declare const TSRUNC_DIST: string

const ADDON = join(TSRUNC_DIST, '..', 'build', 'Release', 'tsrunc_addon.node')
/** A file of an overlay that is mounted nowhere, or a memfd. */
const COPY = /^\/\w+$|^\/memfd:tsrunc \(deleted\)$/m
const SIGUSR1 = 0x200
const SIGHUP = 0x1

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrunc-test-'))
})

afterEach(() => rmSync(directory, { recursive: true }))

/** The program that node hands its process to. Descriptor 3 is the record, 4 one of the caller's. */
function handOffTo(argv: readonly string[], record: string, call = 'handOff', before = '') {
  const path = join(directory, 'record')
  writeFileSync(path, record)
  const kept = openSync('/dev/null', 'r')
  const fd = openSync(path, 'r')
  const plan = call.endsWith('handOff') ? `Buffer.from('the plan'),` : ''
  const source = `
    process.stdin.resume(); process.stdin.pause()
    const addon = require(${JSON.stringify(ADDON)})
    ${before}
    addon.${call}('/bin/${argv[0]}', 3, ${plan} ${JSON.stringify(argv)})`
  try {
    return spawnSync(process.execPath, ['-e', source], {
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe', fd, kept],
      env: { PATH: process.env['PATH'], _TSRUNC_HANDOFF: '3', KEPT: 'yes' },
    })
  } finally {
    closeSync(fd)
    closeSync(kept)
  }
}

const handOff = (record: string, script: string, call?: string) => handOffTo(['sh', '-c', script], record, call)

const RECORD = [
  'tsrunc-handoff 1',
  'pid 1',
  'nofile 777 1000',
  `mask ${SIGUSR1.toString(16)}`,
  `ignored ${SIGHUP.toString(16)}`,
  'fd 0 0 0',
  'fd 1 1 0',
  'fd 2 1 0',
  'fd 4 32768 0',
  '',
].join('\n')

describe('handOff', () => {
  it('gives back what node changed', () => {
    const { stdout, stderr } = handOffTo(
      ['cat', '/proc/self/limits', '/proc/self/status', '/proc/self/environ'],
      RECORD,
    )
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^Max open files\s+777\s+1000\s/m)
    const signals = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(stdout)?.[1]}`)
    expect(signals('SigBlk')).toBe(BigInt(SIGUSR1))
    // SIGPIPE, which node ignores, is not among them.
    expect(signals('SigIgn')).toBe(BigInt(SIGHUP))
    expect(stdout).toContain('KEPT=yes')
    expect(stdout).not.toContain('_TSRUNC_HANDOFF')
  })

  it('leaves the descriptors of the caller and the sealed plan, no other', () => {
    const { stdout } = handOff(
      RECORD,
      'plan=$(echo $_TSRUNC_PLAN | cut -d: -f1); cat /proc/$$/fd/$plan; echo; ls /proc/$$/fd; echo $plan',
    )
    const [plan, ...rest] = stdout.trim().split('\n')
    const number = rest.pop()
    expect(plan).toBe('the plan')
    expect(rest.sort((a, b) => Number(a) - Number(b))).toEqual(['0', '1', '2', '4', number])
  })

  it('passes the lock of a container on', () => {
    const script = 'echo $_TSRUNC_PLAN | cut -d: -f3; readlink /proc/$$/fd/$(echo $_TSRUNC_PLAN | cut -d: -f3)'
    const look = `${script}; flock --nonblock ${directory} true; echo $?`
    const lock = `addon.lockContainer(${JSON.stringify(directory)}, 100)`
    const { stdout } = handOffTo(['sh', '-c', look], RECORD, 'handOff', lock)
    expect(stdout).toMatch(/^\d+\n/)
    expect(stdout.replace(/^\d+\n/, '')).toBe(`${directory}\n1\n`)
  })

  // How long the heir takes is the kernel's business: it is waited for.
  it('leaves an heir that ends by itself and can be reaped', () => {
    const { stdout } = handOff(
      RECORD,
      'heir=$(echo $_TSRUNC_PLAN | cut -d: -f2); until grep -q "^State:.Z" /proc/$heir/status; do sleep 0.01; done; cat /proc/$heir/status; echo "Me: $$"',
    )
    const parent = /^PPid:\s*(\d+)/m.exec(stdout)?.[1]
    expect(parent).toMatch(/^\d+$/)
    expect(stdout).toContain(`Me: ${parent}\n`)
  })

  it('runs a copy that was begun before', () => {
    const { stdout } = handOff(RECORD, 'readlink /proc/$$/exe', 'beginHandOff("/bin/sh");addon.handOff')
    expect(stdout).toMatch(COPY)
  })

  it('runs a copy that nobody can write to', () => {
    const { stdout } = handOff(RECORD, 'readlink /proc/$$/exe; (echo x > /proc/$$/exe) 2>&1')
    expect(stdout).toMatch(COPY)
    expect(stdout).toMatch(/Text file busy|Operation not permitted|Permission denied|Read-only file system/)
  })

  it('says which step failed', () => {
    const { status, stderr } = handOff('something else', 'true')
    expect(status).toBe(1)
    expect(stderr).toContain('it is not a record of tsrunc')
  })
})

describe('execute', () => {
  it('runs the file itself, without a plan', () => {
    const { stdout } = handOff(RECORD, 'readlink /proc/$$/exe; echo "[$_TSRUNC_PLAN]"; ulimit -n', 'execute')
    expect(stdout.trim().split('\n')).toEqual([readlinkOfShell(), '[]', '777'])
  })
})

/** /bin/sh is a link on most distributions. */
function readlinkOfShell(): string {
  return spawnSync('readlink', ['-f', '/bin/sh'], { encoding: 'utf8' }).stdout.trim()
}
