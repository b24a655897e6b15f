// config.md: the specification version, root, host names, annotations, mounts and hooks.
import { bad, bundle, test } from '../../lib'
import { ABSENT, refuses, takes } from './rows'

test('config.md [BUN-1a GEN-5a]: the configuration that every row of these suites starts from is taken', async () => {
  const b = await bundle()
  await b.create()
})

refuses('config.md#specification-version', [
  ['/ociVersion', ABSENT],
  ['/ociVersion', 1],
  ['/ociVersion', ''],
  ['/ociVersion', '1.0'],
  ['/ociVersion', '2.0.0'],
  ['/ociVersion', 'v1.0.2'],
  ['/ociVersion', '1.0.2\0'],
])

takes('config.md#specification-version [GEN-10a]', [
  ['/ociVersion', '1.0.0-rc5-dev'],
  ['/ociVersion', '1.2.1'],
  ['/ociVersion', '1.99.0+build.7'],
])

refuses('config.md#root', [
  ['/root', ABSENT],
  ['/root', 'rootfs'],
  ['/root', []],
  ['/root/path', ABSENT],
  ['/root/path', 7],
  ['/root/path', ''],
  ['/root/path', 'root\0fs'],
  ['/root/readonly', 'true'],
  ['/root/readonly', 1],
])

const LONG_NAME = 'h'.repeat(65)

refuses('config.md#hostname', [
  ['/hostname', 7],
  ['/hostname', ['container']],
  ['/hostname', LONG_NAME],
  ['/hostname', 'con\0tainer'],
  ['/hostname', 'name', { '/linux/namespaces': [{ type: 'pid' }, { type: 'mount' }] }],
])

refuses('config.md#domainname', [
  ['/domainname', false],
  ['/domainname', LONG_NAME],
  ['/domainname', 'do\0main'],
  ['/domainname', 'name', { '/hostname': ABSENT, '/linux/namespaces': [{ type: 'pid' }, { type: 'mount' }] }],
])

refuses('config.md#annotations', [
  ['/annotations', 'a=b'],
  ['/annotations', ['a=b']],
  ['/annotations/a', 1],
  ['/annotations/a', { b: 'c' }],
  ['/annotations/', 'the key is empty'],
])

const tmpfs = { '/mounts/6': { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' } }
const bind = { '/mounts/6': { destination: '/tmp', type: 'bind', source: '/', options: ['bind'] } }
const mapping = [{ containerID: 0, hostID: 1000, size: 10 }]

refuses('config.md#mounts', [
  ['/mounts', {}],
  ['/mounts', '/proc'],
  ['/mounts/6', 'proc'],
  ['/mounts/6', []],
  ['/mounts/6/destination', ABSENT, tmpfs],
  ['/mounts/6/destination', '', tmpfs],
  ['/mounts/6/destination', 5, tmpfs],
  ['/mounts/6/destination', '/t\0mp', tmpfs],
  ['/mounts/6/type', 5, tmpfs],
  ['/mounts/6/type', 'no-such-filesystem', tmpfs],
  ['/mounts/6/type', 'tmp\0fs', tmpfs],
  ['/mounts/6/source', [], tmpfs],
  ['/mounts/6/source', ABSENT, bind],
  ['/mounts/6/source', '/no/such/source', bind],
  ['/mounts/6/options', 'ro,nosuid', tmpfs],
  ['/mounts/6/options/0', 7, tmpfs],
  ['/mounts/6/options/0', 'size=lots', tmpfs],
  ['/mounts/6/options/0', 'no-such-option', tmpfs],
  ['/mounts/6/options/0', 'ro\0', tmpfs],
  ['/mounts/6/options/1', 'size=1m', bind],
  ['/mounts/6/gidMappings', ABSENT, { ...bind, '/mounts/6/uidMappings': mapping }],
  ['/mounts/6/uidMappings', ABSENT, { ...bind, '/mounts/6/gidMappings': mapping }],
  ['/mounts/6/uidMappings', mapping, { ...tmpfs, '/mounts/6/gidMappings': mapping }],
  ['/mounts/6/uidMappings/0/size', 0, { ...bind, '/mounts/6/uidMappings': mapping, '/mounts/6/gidMappings': mapping }],
  ['/mounts/6/options/1', 'idmap', bind],
  ['/mounts/6/options/1', 'ridmap', bind],
  ['/mounts/6/options/0', 'idmap', tmpfs],
  ['/mounts/6/options/1', 'idmap=', bind],
  ['/mounts/6/options/1', 'idmap=uids=0-1-1', bind],
  ['/mounts/6/options/1', 'idmap=uids=0-1-4294967296;gids=0-1-1', bind],
  ['/mounts/6/options/1', 'idmap=uids=0-1-1#0-9-1;gids=0-1-1', bind],
  ['/mounts/6/options/1', 'ridmap=uids=@0-1-1;gids=0-1-1', bind],
  ['/mounts/6/options/0', 'copy-symlink', tmpfs],
  ['/mounts/6/options/0', 'src-nofollow', tmpfs],
  ['/mounts/6/options/0', 'dest-nofollow', tmpfs],
  [
    '/mounts/6/options/2',
    'dest-nofollow',
    { '/mounts/6': { ...bind['/mounts/6'], options: ['bind', 'copy-symlink'] } },
  ],
])

const probe = { path: '/bin/true', args: ['true'] }
const HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const

for (const name of HOOKS) {
  refuses(
    'config.md#posix-platform-hooks',
    [
      [`/hooks/${name}`, {}],
      [`/hooks/${name}/0`, '/bin/true'],
      [`/hooks/${name}/0/path`, ABSENT],
      [`/hooks/${name}/0/path`, 'bin/true'],
      [`/hooks/${name}/0/path`, ''],
      [`/hooks/${name}/0/path`, '/bin/tr\0ue'],
      [`/hooks/${name}/0/args`, 'true'],
      [`/hooks/${name}/0/args/1`, 1],
      [`/hooks/${name}/0/env`, { A: 'b' }],
      [`/hooks/${name}/0/env/0`, 'A=\0'],
      [`/hooks/${name}/0/timeout`, 0],
      [`/hooks/${name}/0/timeout`, -1],
      [`/hooks/${name}/0/timeout`, '5'],
      [`/hooks/${name}/0/timeout`, 1.5],
    ].map(([pointer, value]) => [String(pointer), value, { [`/hooks/${name}/0`]: bad(probe) }] as const),
  )
}

refuses('config.md#posix-platform-hooks', [
  ['/hooks', []],
  ['/hooks', 'none'],
])
