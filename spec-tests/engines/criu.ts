/** Whether CRIU can save a process here: where a hypervisor runs the host's kernel as a program, it waits for ever for the first one. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { attempt } from './row'

const IMAGES = '/tmp/criu-probe'
const SECONDS = '15'

const save = async (): Promise<string> => {
  const sleeper = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  sleeper.unref()
  mkdirSync(IMAGES)
  try {
    const dump = ['criu', 'dump', '--tree', String(sleeper.pid), '--images-dir', IMAGES, '--log-file', 'log']
    const { status } = await attempt(['timeout', '--signal', 'KILL', SECONDS, ...dump])
    if (status === 0) return ''
    const last = readFileSync(join(IMAGES, 'log'), 'utf8').trimEnd().split('\n').at(-1) ?? ''
    return `CRIU cannot save a process on this host: ${last}`
  } finally {
    sleeper.kill('SIGKILL')
    rmSync(IMAGES, { recursive: true })
  }
}

let known: Promise<string> | undefined

/** Why it cannot; empty: it can. */
export const criuFault = (): Promise<string> => {
  known ??= save()
  return known
}
