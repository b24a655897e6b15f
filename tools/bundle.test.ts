import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundle } from './bundle'
import { warmConfig } from './warm-config'

declare const TSRUNC_DIST: string

let directory: string

/** The command line as the bundle runs it, started without the launcher. */
function tsrunc(...argv: string[]) {
  const main = join(directory, 'dist', 'main.js')
  // As the launcher does: the certificates would be parsed at every start.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined }
  return spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', cwd: join(directory, 'bundle'), env })
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tsrunc-test-'))
  await bundle(join(directory, 'dist'), JSON.stringify(TSRUNC_DIST))
  mkdirSync(join(directory, 'bundle', 'rootfs'), { recursive: true })
  writeFileSync(join(directory, 'bundle', 'config.json'), JSON.stringify(warmConfig()))
})

afterAll(() => rmSync(directory, { recursive: true }))

describe('the bundle', () => {
  it('keeps what is rarely needed out of what every run reads', () => {
    const text = readFileSync(join(directory, 'dist', 'bundle.js'), 'utf8')
    expect(text).not.toContain('yargs')
    expect(existsSync(join(directory, 'dist', 'help.js'))).toBe(true)
  })

  it.each([[[]], [['--help']], [['help']], [['-h']]])('prints its help: %j', (argv) => {
    const { status, stdout, stderr } = tsrunc(...argv)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^tsrunc \[GLOBAL OPTIONS\] VERB \[OPTIONS\] \[ID\]\n/)
    expect(stdout).toMatch(/^ {2}tsrunc create +create a container without running its program$/m)
    expect(stdout).toContain('--systemd-cgroup')
  })

  it.each([
    'create',
    'start',
    'run',
    'state',
    'kill',
    'delete',
    'pause',
    'resume',
    'gc',
    'ps',
    'list',
    'spec',
    'validate',
    'features',
  ])('helps with %s', (verb) => {
    const { status, stdout } = tsrunc(verb, '--help')
    expect(status).toBe(0)
    expect(stdout).toContain(`tsrunc [GLOBAL OPTIONS] ${verb} [OPTIONS]`)
    expect(tsrunc('help', verb).stdout).toBe(stdout)
  })

  it.each(['-v', 'version'])('leaves the version to the launcher: %s', (word) => {
    const { status, stderr } = tsrunc(word)
    expect(status).toBe(1)
    expect(stderr).toContain('dist/main.js was started by hand')
  })

  it.each([
    [['nosuch'], 'tsrunc: unknown verb "nosuch": one of create, start,'],
    [['--foo', 'run', 'x'], 'tsrunc: unknown option --foo'],
    [['--log-format', 'xml', 'list'], 'tsrunc: invalid value "xml" of --log-format: one of text, json'],
    [['run'], 'tsrunc run: an argument is missing: run ID'],
    [['create', 'a', 'b'], 'tsrunc create: too many arguments: "b" (create ID)'],
    [['features', 'x'], 'tsrunc features: too many arguments: "x" (features)'],
    [['create', '--preserve-fds', '-1', 'x'], 'tsrunc create: invalid value "-1" of --preserve-fds: a number'],
    [['run', '--foo', 'x'], 'tsrunc run: unknown option --foo'],
  ])('explains %j', (argv, message) => {
    const { status, stdout, stderr } = tsrunc(...argv)
    expect(status).toBe(1)
    expect(stderr).toContain(message)
    expect(stdout).toContain('Global options:')
  })

  it.each([
    [['create', '--dry-run', 'a/b'], 'tsrunc create: invalid container ID "a/b"'],
    [
      ['run', '--dry-run', '--bundle', '/nonexistent', 'x'],
      'tsrunc run: bundle "/nonexistent": no such file or directory',
    ],
    [['create', '--dry-run', '--preserve-fds=1000', 'x'], 'file descriptor'],
    [['run', 'x'], 'was started by hand'],
    [['state', 'x'], 'are not of one build'],
    [['state', '--root=/r', 'x'], 'was started by hand'],
  ])('refuses %j', (argv, message) => {
    const { status, stdout, stderr } = tsrunc(...argv)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
  })

  it('writes the whole story as the last line of the log', () => {
    const log = join(directory, 'log.json')
    const { stderr } = tsrunc('--log', log, '--log-format=json', 'create', '--dry-run', '--config', 'no.json', 'x')
    const last = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? ''
    const { level, msg, time } = JSON.parse(last) as Record<string, string>
    expect(level).toBe('error')
    expect(msg).toMatch(/^tsrunc create: ".*\/no\.json": no such file or directory: ENOENT$/)
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(stderr).toBe(`${msg}\n`)
  })

  it('prints a plan and changes nothing', () => {
    const root = join(directory, 'state')
    const { status, stdout } = tsrunc('--root', root, 'run', '--dry-run', 'x')
    expect(status).toBe(0)
    const plan = JSON.parse(stdout) as { header: { id: string; stateDir: string }; initStart: { kind: string }[] }
    expect(plan.header).toMatchObject({ id: 'x', stateDir: join(root, 'x') })
    expect(plan.initStart.at(-1)?.kind).toBe('exec')
    expect(existsSync(root)).toBe(false)
  })

  it('writes a config.json once', () => {
    const bundleDirectory = join(directory, 'new')
    mkdirSync(bundleDirectory)
    expect(tsrunc('spec', '--bundle', bundleDirectory).status).toBe(0)
    const text = readFileSync(join(bundleDirectory, 'config.json'), 'utf8')
    expect((JSON.parse(text) as { process: { args: string[] } }).process.args).toEqual(['sh'])
    const { status, stderr } = tsrunc('spec', '-b', bundleDirectory, '--rootless')
    expect(status).toBe(1)
    expect(stderr).toContain('config.json exists: remove it first')
    expect(readFileSync(join(bundleDirectory, 'config.json'), 'utf8')).toBe(text)
  })
})
