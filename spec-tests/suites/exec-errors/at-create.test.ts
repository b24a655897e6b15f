// When it is told that a program is not there: engines make a status of their own of what `create` says, and only of that.
import { chmodSync, copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  deepEqual,
  equal,
  leftSoFar,
  notEqual,
  probeProgram,
  scratch,
  test,
} from '../../lib'
import { CASES, prepare } from './cases'
import { dockerStatus, lastError } from './log'

/** What can be seen without execve(2). */
const SEEN = CASES.filter(({ what, docker }) => docker !== undefined && !/interpreter|loader|line endings/.test(what))

for (const one of SEEN) {
  test(`create of ${one.what} fails already, in the words that engines search for`, {
    peers: { crun: 'has words of its own' },
    sometimes: true,
  }, async () => {
    const b = await bundle()
    prepare(b, one)
    const log = scratch('log.json')
    const outcome = await b.tryCreate({ global: ['--log', log, '--log-format', 'json'] })
    equal(outcome.status, 1, outcome.stderr)
    equal(dockerStatus(lastError(log, 'json')), one.docker, outcome.stderr)
    deepEqual(await leftSoFar(), [])
  })
}

/** Puts the program into the root: of the host, or of the container. */
const install = (b: Bundle, name: 'createRuntime' | 'createContainer' | 'startContainer'): void => {
  addBusybox(b.rootfs)
  const inside = name === 'startContainer'
  const script = inside ? 'cp /bin/probe /late' : `cp ${probeProgram()} ${b.rootfs}/late`
  b.config.root.readonly = false
  b.config.process.args = ['/late', 'echo', 'late']
  copyFileSync('/bin/busybox', join(b.path, 'busybox'))
  chmodSync(join(b.path, 'busybox'), 0o755)
  const path = inside ? '/bin/busybox' : join(b.path, 'busybox')
  b.config.hooks = { [name]: [{ path, args: ['busybox', 'sh', '-c', `busybox ${script}`], env: ['PATH=/bin'] }] }
  b.save()
}

for (const name of ['createRuntime', 'createContainer'] as const) {
  test(`create finds a program that a ${name} hook puts there`, async () => {
    const b = await bundle()
    install(b, name)
    await b.create()
    await b.start()
    await b.reaches('stopped')
    equal(/late/.test(b.output()), true)
  })
}

test('create: a program that only a startContainer hook would put there is not found', async () => {
  const b = await bundle()
  install(b, 'startContainer')
  notEqual((await b.tryCreate()).status, 0)
  equal(existsSync(join(b.rootfs, 'late')), false)
})

test('a program that is replaced between create and start is the one that runs', async () => {
  const b = await bundle()
  b.file('program', '#!/bin/no-such-shell\n', 0o755)
  b.config.process.args = ['/program', 'echo', 'new']
  b.save()
  await b.create()
  copyFileSync(probeProgram(), join(b.rootfs, 'program'))
  await b.start()
  await b.reaches('stopped')
  equal(/new/.test(b.output()), true)
})
