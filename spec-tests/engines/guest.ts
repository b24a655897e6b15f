/** Runs one engine's rows in the sandbox: `node guest.cjs ENGINE RUNTIME [FILTER…]`. One line of JSON for each row. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { engine as buildah } from './buildah'
import { engine as containerd } from './containerd'
import { engine as cri } from './cri'
import { engine as crio } from './crio'
import { criuFault } from './criu'
import { engine as docker } from './docker'
import { makeImages } from './image'
import { engine as podman } from './podman'
import { engine as podmanRootless } from './podman-rootless'
import type { Result } from './result'
import { attempt, type Engine, type Row } from './row'
import { engine as shim } from './shim'
import { engine as shimFaults } from './shim-faults'
import { engine as shimSystemd } from './shim-systemd'

const ENGINES: readonly Engine[] = [
  ...[containerd, shim, shimFaults, shimSystemd],
  ...[cri, crio, docker, podman, podmanRootless, buildah],
]

const tell = (result: Result): void => {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

/** Why a row cannot be tried, or nothing. Verbs that the runtime does not have: it is the only one that can say so. */
const obstacle = async (runtime: string, verbs: readonly string[]): Promise<string> => {
  const missing: string[] = []
  for (const verb of verbs) {
    if ((await attempt([runtime, verb, '--help'])).status !== 0) missing.push(verb)
  }
  if (missing.length > 0) return `the runtime has no verb ${missing.join(', ')}`
  return verbs.includes('checkpoint') ? await criuFault() : ''
}

const tryRow = async ({ engine, what, check }: Row): Promise<boolean> => {
  const begin = Date.now()
  try {
    await check()
    tell({ engine, what, status: 'passed', milliseconds: Date.now() - begin, message: '' })
    return true
  } catch (error) {
    const { message } = error as Error
    tell({ engine, what, status: 'failed', milliseconds: Date.now() - begin, message })
    return false
  }
}

/** What docs/ENGINES.md installs; and what BuildKit takes, the first runc on dockerd's PATH. */
const install = (runtime: string): void => {
  mkdirSync('/usr/local/sbin', { recursive: true })
  symlinkSync(runtime, '/usr/local/sbin/tsrunc')
  symlinkSync(runtime, '/usr/local/sbin/runc')
  symlinkSync(runtime, '/usr/local/sbin/containerd-shim-tsrunc-v2')
}

const main = async (): Promise<void> => {
  const [name, runtime = '', ...filters] = process.argv.slice(2)
  const engine = ENGINES.find((candidate) => candidate.name === name)
  if (engine === undefined) throw new Error(`there is no engine ${name}`)
  const rows = engine.rows.filter(({ what }) => filters.every((filter) => what.includes(filter)))
  if (rows.length === 0) return
  if (process.getuid?.() === 0) install(runtime)
  makeImages()
  await engine.begin(runtime)
  for (const row of rows) {
    const message = await obstacle(runtime, row.verbs)
    if (message !== '') {
      tell({ engine: row.engine, what: row.what, status: 'skipped', milliseconds: 0, message })
    } else if (!(await tryRow(row))) {
      await engine.reset?.()
    }
  }
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`engine-test: ${error.message}\n`)
    process.exit(1)
  },
)
