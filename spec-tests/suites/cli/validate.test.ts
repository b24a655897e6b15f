// `validate`: everything that is wrong with a config.json, at once.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bad,
  bundle,
  type Config,
  callRuntime,
  deepEqual,
  equal,
  match,
  ok,
  scratch,
  test,
} from '../../lib'

const ONLY = { only: ['tsrunc'] } as const

interface Finding {
  readonly rule: string
  readonly pointer: string
  readonly line: number
  readonly column: number
  readonly message: string
  readonly suggestion?: string
  readonly section: string
}

interface Report {
  readonly file: string
  readonly valid: boolean
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
}

const report = async (b: Bundle, expected: number): Promise<Report> => {
  const { stdout, status, stderr } = await callRuntime(['validate', '--bundle', b.path, '--format', 'json'])
  equal(status, expected, stderr)
  equal(stderr, '')
  return JSON.parse(stdout) as Report
}

const found = (findings: readonly Finding[]): string[] =>
  findings.map(({ rule, pointer }) => `${rule} ${pointer}`).sort()

/** A configuration with faults of every kind: types, missing properties, words, forms, relations of properties. */
const spoil = (c: Config): void => {
  c.process.cwd = 'srv'
  c.process.args = bad('sh')
  c.process.rlimits = [
    { type: 'NOFILE', soft: 2, hard: 1 },
    { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
  ]
  c.mounts.push({ destination: bad(7) }, { destination: 'relative', type: 'tmpfs', options: ['noexce'] })
  c.linux.namespaces.push({ type: bad('net') }, { type: 'mount' })
  c.linux.resources.memory = { limit: -2 }
  Object.assign(c, { Hostname: 'a', root: { readonly: true } })
}

const MOUNTS = 6
const NAMESPACES = 5

test('validate: finds all faults at once', ONLY, async () => {
  const b = await bundle(spoil)
  const { valid, errors, warnings } = await report(b, 1)
  equal(valid, false)
  deepEqual(found(errors), [
    'cwd-absolute /process/cwd',
    `enum /linux/namespaces/${NAMESPACES}/type`,
    'limit /linux/resources/memory/limit',
    `namespace-unique /linux/namespaces/${NAMESPACES + 1}/type`,
    `nonEmpty /mounts/${MOUNTS}/destination`,
    'required /root/path',
    'rlimit-order /process/rlimits/0/soft',
    'rlimit-type /process/rlimits/0/type',
    'rlimit-unique /process/rlimits/2/type',
    'type /process/args',
  ])
  deepEqual(found(warnings), [
    `mount-destination /mounts/${MOUNTS + 1}/destination`,
    `mount-option-spelling /mounts/${MOUNTS + 1}/options/0`,
    'unknown-property /Hostname',
  ])
})

test('validate: every finding has a place, a sentence and a section', ONLY, async () => {
  const b = await bundle(spoil)
  const { errors, warnings } = await report(b, 1)
  const lines = readFileSync(join(b.path, 'config.json'), 'utf8').split('\n')
  for (const { pointer, line, column, message, section, rule } of [...errors, ...warnings]) {
    match(section, /^(config|config-linux|glossary)\.md( "[^"]+")?$/)
    match(message, /^(must|is|should|"noexce") /)
    match(rule, /^[a-z][A-Za-z-]+$/)
    const name =
      pointer
        .replace(/\/\d+$/, '')
        .split('/')
        .pop() ?? ''
    const text = lines[line - 1]?.slice(column - 1) ?? ''
    if (rule === 'required') equal(text.startsWith('{'), true, text)
    else if (rule === 'unknown-property') ok(text.startsWith(`"${name}":`), text)
    else ok(lines[line - 1]?.includes(`"${name}": ${text}`) || /^"noexce"/.test(text), `${pointer}: ${text}`)
  }
})

test('validate: says what was probably meant', ONLY, async () => {
  const b = await bundle(spoil)
  const { errors, warnings } = await report(b, 1)
  const suggestions = Object.fromEntries(
    [...errors, ...warnings].map(({ pointer, suggestion }) => [pointer, suggestion]),
  )
  equal(suggestions[`/linux/namespaces/${NAMESPACES}/type`], 'did you mean "network"?')
  equal(suggestions['/process/rlimits/0/type'], 'did you mean "RLIMIT_NOFILE"?')
  equal(suggestions['/process/args'], 'write ["sh"]')
  equal(suggestions['/Hostname'], 'did you mean "hostname"?')
  equal(suggestions[`/mounts/${MOUNTS + 1}/options/0`], 'did you mean "noexec"?')
})

test('validate: text as compilers print it', ONLY, async () => {
  const b = await bundle(spoil)
  const { stdout, status, stderr } = await callRuntime(['validate'], { cwd: b.path })
  equal(status, 1)
  equal(stderr, '')
  match(stdout, /^config\.json:\d+:\d+: error: \/process\/cwd: must be an absolute path, not "srv"$/m)
  match(stdout, /^ +\d+ \| +"cwd": "srv",\n +\| +\^{5}\n +(= .*\n)*? += config\.md "Process" \[cwd-absolute\]$/m)
  match(stdout, /\nconfig\.json: 10 errors, 3 warnings\n$/)
  ok(!stdout.includes('\u001b'))
})

test('validate: a valid configuration, and one with warnings, exit with 0', ONLY, async () => {
  const b = await bundle()
  deepEqual(await report(b, 0), { file: join(b.path, 'config.json'), valid: true, errors: [], warnings: [] })
  equal((await callRuntime(['validate'], { cwd: b.path })).stdout, 'config.json: valid\n')
  b.config.ociVersion = '1.99.0'
  b.save()
  const { valid, warnings } = await report(b, 0)
  equal(valid, true)
  deepEqual(found(warnings), ['oci-version-known /ociVersion'])
})

test('validate: create refuses what validate finds, and says where the rest is', ONLY, async () => {
  const b = await bundle(spoil)
  const { errors } = await report(b, 1)
  const said = await b.refused(/; 9 more errors: see tsrunc validate/)
  ok(
    errors.some(({ pointer, message }) => said.includes(`${pointer}: ${message}`)),
    said,
  )
})

test('validate: another file, the standard input, a bundle that is not there', ONLY, async () => {
  const b = await bundle(spoil)
  writeFileSync(join(b.path, 'other.json'), '{"ociVersion": "1.0.0", "root": {"path": "/"}}')
  const other = await callRuntime(['validate', '-b', b.path, '-f', 'other.json'])
  equal(other.status, 0, other.stdout)
  writeFileSync(join(b.path, 'input'), '{"ociVersion": 1}')
  const input = await callRuntime(['validate', '--config', '-', '--format=json'], { stdin: join(b.path, 'input') })
  equal(input.status, 1)
  const { file, errors } = JSON.parse(input.stdout) as Report
  equal(file, '-')
  deepEqual(found(errors), ['required /root', 'type /ociVersion'])
  const empty = scratch('empty')
  mkdirSync(empty)
  for (const path of [empty, join(empty, 'missing')]) {
    const missing = await callRuntime(['validate', '--bundle', path])
    equal(missing.status, 1)
    equal(missing.stdout, '')
    match(missing.stderr, /^tsrunc validate: .*no such file or directory/)
  }
})

const TEXTS: Readonly<Record<string, readonly [text: string | Buffer, place: string, message: RegExp]>> = {
  'a syntax error': ['{\n "root": {},\n}', '3:1', /expected a name in double quotes.*\n.*\n.*\n.*remove the comma/],
  'a comment': ['{\n // all\n}', '2:2', /JSON has no comments/],
  'an octal number': ['{"process": {"user": {"umask": 022}}}', '1:33', /the octal 022 is 18/],
  nothing: ['', '1:1', /the file is empty/],
  'a byte order mark': ['\ufeff{}', '1:1', /byte order mark/],
  'bytes that are not UTF-8': [Buffer.from([0x7b, 0x0a, 0x22, 0xff, 0x22]), '2:2', /not UTF-8/],
  'a name that stands twice': [
    '{"a": 1,\n "a": 2}',
    '2:2',
    /"a" stands twice in one object \(first at line 1, column 2\)/,
  ],
  'values nested too deep': ['['.repeat(5000), '1:1001', /nested more than 1000 deep/],
}

for (const [name, [text, place, message]] of Object.entries(TEXTS)) {
  test(`validate: ${name}`, ONLY, async () => {
    const b = await bundle()
    writeFileSync(join(b.path, 'config.json'), text)
    const { stdout, status } = await callRuntime(['validate'], { cwd: b.path })
    equal(status, 1)
    match(stdout, new RegExp(`^config\\.json:${place}: error: `, 'm'))
    match(stdout, message)
  })
}

test('validate: names that stand twice hide nothing else', ONLY, async () => {
  const b = await bundle()
  writeFileSync(
    join(b.path, 'config.json'),
    '{"ociVersion": "1", "root": {}, "root": {"path": ""}, "x": {"y": 1, "y": 2}}',
  )
  const { errors, warnings } = await report(b, 1)
  deepEqual(found(errors), [
    'json-duplicate /root',
    'json-duplicate /x/y',
    'nonEmpty /root/path',
    'oci-version /ociVersion',
  ])
  deepEqual(found(warnings), ['unknown-property /x'])
})
