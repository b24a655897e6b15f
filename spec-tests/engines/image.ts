import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const IMAGE = 'docker.io/library/tools:latest'
export const ARCHIVE = '/tmp/tools.tar'

/** What the sandbox of a pod runs. */
export const PAUSE = 'docker.io/library/pause:latest'
export const PAUSE_ARCHIVE = '/tmp/pause.tar'

const DIRECTORY = '/tmp/image'

const makeLayer = (): void => {
  const root = join(DIRECTORY, 'root')
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
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trimEnd().split('\n')
  for (const applet of applets.filter((name) => name !== 'busybox')) symlinkSync('busybox', join(root, 'bin', applet))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nalice:x:1000:\nstaff:x:50:alice\n')
  execFileSync('tar', ['--owner=0', '--group=0', '-C', root, '-cf', join(DIRECTORY, 'layer.tar'), '.'])
}

const makeArchive = (tag: string, archive: string, command: readonly string[]): void => {
  const digest = createHash('sha256')
    .update(readFileSync(join(DIRECTORY, 'layer.tar')))
    .digest('hex')
  const configuration = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: command, Env: ['PATH=/bin', 'ORIGIN=image'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: 'busybox' }],
  }
  writeFileSync(join(DIRECTORY, 'config.json'), JSON.stringify(configuration))
  writeFileSync(
    join(DIRECTORY, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }]),
  )
  execFileSync('tar', ['-C', DIRECTORY, '-cf', archive, 'manifest.json', 'config.json', 'layer.tar'])
}

/** Images of busybox in the form of `docker save`: one layer, its configuration, a manifest. */
export const makeImages = (): void => {
  makeLayer()
  makeArchive(IMAGE, ARCHIVE, ['/bin/sh'])
  makeArchive(PAUSE, PAUSE_ARCHIVE, ['/bin/sleep', '1000000'])
}
