import { expect, test } from 'vitest'
import { adviceOn } from './advice'
import { fullConfig, minimalConfig, put } from './fixtures'
import { parseJson, valueAt } from './json'

const advised = (document: unknown) =>
  adviceOn(document).map(({ rule, pointer, suggestion }) => [rule, pointer, suggestion])

test('a usual configuration needs no advice', () => {
  expect(advised(minimalConfig())).toEqual([])
})

test('what the specification advises against', () => {
  expect(advised(fullConfig())).toEqual([
    ['deprecated', '/hooks/prestart', expect.stringContaining('createRuntime')],
    ['deprecated', '/linux/intelRdt/enableCMT', 'use enableMonitoring'],
    ['deprecated', '/linux/intelRdt/enableMBM', 'use enableMonitoring'],
    ['deprecated', '/linux/resources/memory/kernel', expect.any(String)],
    ['deprecated', '/linux/resources/memory/kernelTCP', expect.any(String)],
  ])
})

test.each([
  ['/Root', 'did you mean "root"?'],
  ['/root/readOnly', 'did you mean "readonly"?'],
  ['/process/enviroment', undefined],
  ['/process/arg', 'did you mean "args"?'],
  ['/process/noNewPrivilege', 'did you mean "noNewPrivileges"?'],
  ['/process/user/uuid', 'did you mean "uid"?'],
  ['/process/seccomp', 'it belongs to /linux'],
  ['/linux/hooks', 'it belongs to the top'],
  ['/capabilities', 'it belongs to /process'],
  ['/limit', undefined],
  ['/linux/namespaces/0/paht', 'did you mean "path"?'],
  ['/linux/resources/memory/memorySwappiness', undefined],
  ['/io.example.own', undefined],
])('a property that is ignored: %s', (pointer, suggestion) => {
  const config = put(minimalConfig(), '/linux/intelRdt', {})
  put(config, '/process/user', {})
  put(config, '/linux/resources', { memory: {} })
  const found = adviceOn(put(config, pointer, 5)).filter(({ rule }) => rule === 'unknown-property')
  expect(found.map((fault) => [fault.pointer, fault.suggestion, fault.severity, fault.at])).toEqual([
    [pointer, suggestion, 'warning', 'name'],
  ])
})

test('__proto__ is a name like any other', () => {
  expect(advised(parseJson(Buffer.from('{"__proto__": 5}')).value)).toEqual([
    ['unknown-property', '/__proto__', undefined],
  ])
})

test('other platforms', () => {
  expect(advised({ windows: {}, vm: 5, process: { commandLine: 'a' } })).toEqual([
    ['other-platform', '/windows', undefined],
    ['other-platform', '/vm', undefined],
    ['other-platform', '/process/commandLine', undefined],
  ])
})

test.each([
  ['noexce', 'noexec'],
  ['nosiud', 'nosuid'],
  ['relatim', 'relatime'],
  ['size=5', undefined],
  ['acl', undefined],
  ['noacl', undefined],
  ['discard', undefined],
  ['userxattr', undefined],
  ['newinstance', undefined],
  ['allow_other', undefined],
  ['nobarrier', undefined],
])('an option that is passed to the file system: %s', (option, meant) => {
  const mounts = [{ destination: '/a', type: 'tmpfs', options: ['nodev', option] }]
  expect(advised({ mounts })).toEqual(
    meant === undefined ? [] : [['mount-option-spelling', '/mounts/0/options/1', `did you mean "${meant}"?`]],
  )
  expect(advised({ mounts: [{ destination: '/a', options: ['rbind', option] }] })).toEqual([])
})

test('a document of wrong types', () => {
  for (const document of [null, 5, [], { mounts: 5, linux: 'a', hooks: [] }, { mounts: [5, null, { options: 7 }] }]) {
    expect(advised(document)).toEqual([])
  }
})

test('maps have names of any kind', () => {
  for (const map of ['/annotations', '/linux/sysctl', '/linux/netDevices', '/linux/resources/unified']) {
    expect(valueAt(fullConfig(), map)).toBeDefined()
    expect(adviceOn(put(fullConfig(), `${map}/anything`, {})).map(({ rule }) => rule)).not.toContain('unknown-property')
  }
})
