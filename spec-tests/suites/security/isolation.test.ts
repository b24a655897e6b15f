// What no advisory is about, and what must hold all the same.
import { bundle, equal, match, ok, test } from '../../lib'

test('the mounts of the host are not seen in the container, nor its processes', async () => {
  const b = await bundle()
  const [{ mountinfo }, { processes }] = await b.probe(['mounts'], ['processes'])
  equal(mountinfo.includes('/sys/fs/cgroup/'), false)
  equal(processes.length, 1)
})

test('the memory of the runtime, its environment and its command line are not left to the program', async () => {
  const b = await bundle()
  const outcome = await (async () => {
    b.command(['read', '/proc/1/environ'], ['read', '/proc/1/cmdline'])
    return await b.run({ env: { PATH: process.env['PATH'] ?? '', SECRET: 'of-the-host' } })
  })()
  equal(outcome.stdout.includes('of-the-host'), false)
  match(outcome.stdout, /probe/)
})

test('the container cannot change its own limits: /proc/1/oom_score_adj, cgroup files, sysctls', async () => {
  const b = await bundle((c) => {
    c.process.oomScoreAdj = 500
    c.process.user = { uid: 1000, gid: 1000 }
  })
  const [lower, sysctl] = await b.probe(
    ['write', '/proc/self/oom_score_adj', '-500'],
    ['write', '/proc/sys/kernel/core_pattern', '|/x'],
  )
  equal(lower.error, 'EACCES')
  ok(['EROFS', 'EACCES'].includes(sysctl.error))
})
