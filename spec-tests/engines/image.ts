import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const IMAGE = 'docker.io/library/tools:latest'
export const ARCHIVE = '/tmp/tools.tar'

/** An image of busybox in the form of `docker save`: one layer, its configuration, a manifest. */
export const makeImage = (): void => {
  const directory = '/tmp/image'
  const root = join(directory, 'root')
  for (const name of [
    'bin',
    'dev',
    'etc',
    'home',
    'named',
    'proc',
    'root',
    'scratch',
    'sys',
    'tmp',
    'usr/bin',
    'var',
  ]) {
    mkdirSync(join(root, name), { recursive: true })
  }
  chmodSync(join(root, 'tmp'), 0o1777)
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  execFileSync('chroot', [root, '/bin/busybox', '--install', '-s', '/bin'])
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nalice:x:1000:\nstaff:x:50:alice\n')
  execFileSync('tar', ['-C', root, '-cf', join(directory, 'layer.tar'), '.'])
  const digest = createHash('sha256')
    .update(readFileSync(join(directory, 'layer.tar')))
    .digest('hex')
  const configuration = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin', 'ORIGIN=image'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: 'busybox' }],
  }
  writeFileSync(join(directory, 'config.json'), JSON.stringify(configuration))
  writeFileSync(
    join(directory, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }]),
  )
  execFileSync('tar', ['-C', directory, '-cf', ARCHIVE, 'manifest.json', 'config.json', 'layer.tar'])
}
