import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const BUSYBOX = '/bin/busybox'
const FOLDERS = ['bin', 'dev', 'etc', 'home', 'mnt', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var']

/**
 * Makes a root file system of Debian's busybox-static at `rootfs`: one static program, a link for each of its applets,
 * the usual folders, and a user database with root and nobody.
 * @throws Error when the package busybox-static is not installed.
 */
export function makeBusyboxRoot(rootfs: string): void {
  for (const folder of FOLDERS) mkdirSync(join(rootfs, folder), { recursive: true })
  chmodSync(join(rootfs, 'tmp'), 0o1777)
  copyFileSync(BUSYBOX, join(rootfs, 'bin', 'busybox'))
  for (const applet of execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).split('\n')) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', applet))
  }
  symlinkSync('../bin', join(rootfs, 'usr', 'bin'))
  symlinkSync('bin', join(rootfs, 'sbin'))
  writeFileSync(join(rootfs, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n')
  writeFileSync(join(rootfs, 'etc', 'group'), 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n')
}

/** Writes `config` as the configuration of the bundle `folder`. */
export function writeConfig(folder: string, config: object): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`)
}
