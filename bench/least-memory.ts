/**
 * The least limit of memory under which each runtime starts /bin/true of busybox: `npx tsx bench/least-memory.ts [NAME...]`, as
 * root. Bisects in steps of 4 KiB, and takes a limit for good where five starts of five succeed under it. Prints a table.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeBusyboxRoot, writeConfig } from './bundle'
import { findParticipants } from './runtimes'

const PAGE = 4096
/** In pages: nothing starts in one, and everything in 64 MiB. */
const MOST = 16384
const STARTS = 5
/** A runtime that waits for an init that the kernel has killed must not keep the bench. */
const PATIENCE_MS = 20_000

const NAMESPACES = ['pid', 'mount', 'ipc', 'uts', 'network', 'cgroup'].map((type) => ({ type }))

const configOf = (bytes: number, id: string): object => ({
  ociVersion: '1.0.2',
  process: { user: { uid: 0, gid: 0 }, args: ['/bin/true'], env: ['PATH=/bin'], cwd: '/' },
  root: { path: 'rootfs' },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
  ],
  linux: { namespaces: NAMESPACES, cgroupsPath: `/${id}`, resources: { memory: { limit: bytes } } },
})

function starts(runtime: string, bundle: string, state: string, pages: number): boolean {
  const id = `least-memory-${process.pid}`
  writeConfig(bundle, configOf(pages * PAGE, id))
  const call = (...words: string[]) =>
    spawnSync(runtime, ['--root', state, ...words], { cwd: bundle, stdio: 'ignore', timeout: PATIENCE_MS })
  const { status } = call('run', id)
  if (status !== 0) call('delete', '--force', id)
  return status === 0
}

/** In pages. The memory that the kernel charges differs a little from start to start. */
function leastPages(runtime: string, bundle: string, state: string): number {
  const always = (pages: number): boolean => {
    for (let start = 0; start < STARTS; start += 1) if (!starts(runtime, bundle, state, pages)) return false
    return true
  }
  let [fails, works] = [0, MOST]
  while (works - fails > Math.max(1, works >> 6)) {
    const middle = (fails + works) >> 1
    if (always(middle)) works = middle
    else fails = middle
  }
  return works
}

function main(names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'least-memory-'))
  try {
    const bundle = join(folder, 'bundle')
    makeBusyboxRoot(join(bundle, 'rootfs'))
    process.stdout.write('| who | least memory limit, KiB |\n| --- | --- |\n')
    for (const { name, path } of findParticipants(names, '')) {
      if (path === undefined) continue
      const pages = leastPages(path, bundle, join(folder, name))
      process.stdout.write(`| ${name} | ${(pages * PAGE) >> 10} |\n`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main(process.argv.length > 2 ? process.argv.slice(2) : ['crun', 'runc', 'tsrunc'])
