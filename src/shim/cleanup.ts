/**
 * `delete`: containerd cannot reach the shim of a container, or its start has failed. Everything of the container is taken
 * away, with or without a keeper that still knows it.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { EXECUTABLE } from '../native/binding'
import { lastLine } from './command'
import { DeleteResponse } from './messages'
import { savedExit } from './monitor'
import { DEFAULT_ROOT, type Options } from './options'
import { placeOf } from './place'
import { Runtime } from './runtime'
import { checkIdentifier, Store } from './store'
import { timestampOf } from './time'
import { encode } from './wire'

/** What an unknown container is taken for: killed. */
const KILLED = 137
const STDOUT = 1

/** containerd's flags, as native/shim/shim.cc reads them. */
function flag(argv: readonly string[], name: string): string {
  for (const [index, word] of argv.entries()) {
    const [flag, value] = /^--?([^=]+)(?:=(.*))?$/.exec(word)?.slice(1) ?? []
    if (flag === name) return value ?? argv[index + 1] ?? ''
  }
  return ''
}

const ANYTHING: Options = {
  root: DEFAULT_ROOT,
  systemdCgroup: false,
  noPivotRoot: false,
  noNewKeyring: false,
  criuImagePath: '',
  criuWorkPath: '',
}

export async function cleanUp(argv: readonly string[]): Promise<void> {
  const [id, namespace, address] = ['id', 'namespace', 'address'].map((name) => flag(argv, name)) as [
    string,
    string,
    string,
  ]
  const bundle = flag(argv, 'bundle') || process.cwd()
  checkIdentifier('container', id)
  const runtime = new Runtime(EXECUTABLE, namespace)
  const store = new Store(placeOf(namespace, address))
  const record = store.load(id)
  const place = record ?? { id, options: ANYTHING, systemd: false }
  const known = record?.init.exit ?? savedExit(runtime.monitor(place, 'init'))
  const { status, stderr } = await runtime.attempt(place, 'delete', ['--force', id])
  await runtime.unmount(join(bundle, 'rootfs'))
  if (status !== 0) throw new Error(`delete ${id}: ${lastLine(stderr)}`)
  store.remove(id)
  const exit = known ?? { status: KILLED, at: new Date().toISOString() }
  const answer = { pid: record?.init.pid ?? 0, exit_status: exit.status, exited_at: timestampOf(exit.at) }
  writeSync(STDOUT, encode(DeleteResponse, answer))
}
