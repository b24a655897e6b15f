// --pid-file.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, equal, scratch, test } from '../../lib'

test('--pid-file: holds the pid, without a line end, when create returns', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create({ flags: ['--pid-file', scratch('pid')] })
  equal(readFileSync(scratch('pid'), 'utf8'), String((await b.state()).pid))
})

test('--pid-file: relative to the current directory', async () => {
  const b = await bundle()
  await b.create({ flags: ['--pid-file', 'pid'], cwd: b.path })
  equal(existsSync(join(b.path, 'pid')), true)
})

test('--pid-file: replaces a file that is there', async () => {
  writeFileSync(scratch('pid'), 'old content that is longer')
  const b = await bundle()
  await b.create({ flags: ['--pid-file', scratch('pid')] })
  equal(readFileSync(scratch('pid'), 'utf8'), String((await b.state()).pid))
})

test('--pid-file: a create that fails leaves none', async () => {
  const b = await bundle((c) => c.mounts.push({ destination: '/m', type: 'nosuchfs', source: 'x' }))
  await b.refused(/./, { flags: ['--pid-file', scratch('pid')] })
  equal(existsSync(scratch('pid')), false)
})

test('--pid-file: in a directory that does not exist is an error that leaves nothing', async () => {
  const b = await bundle()
  await b.refused(/no-such|pid/i, { flags: ['--pid-file', '/no-such/directory/pid'] })
})

test('--pid-file: run --detach', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.run({ flags: ['--detach', '--pid-file', scratch('pid')] })
  equal(readFileSync(scratch('pid'), 'utf8'), String((await b.state()).pid))
})
