// --cgroup-manager disabled: no cgroup at all, as with crun.
import { bundle, cgroupsNamed, deepEqual, equal, ownCgroup, requires, test } from '../../lib'

const DISABLED = { global: ['--cgroup-manager', 'disabled'] }

test('--cgroup-manager disabled: the container stays in the cgroup of its caller', {
  peers: { runc: 'has no such flag' },
}, async () => {
  requires('root')
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'cgroup')
  })
  b.command(['report'])
  await b.create(DISABLED)
  deepEqual(cgroupsNamed(b.id), [])
  await b.start()
  await b.reaches('stopped')
  const [report] = b.answers(b.output(), [['report']])
  equal(report.cgroup.includes(ownCgroup('pids')), true)
  await b.delete()
})

test('--cgroup-manager disabled: a limit is refused', { only: ['tsrunc'] }, async () => {
  requires('root')
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 5 }
  })
  await b.refused(/--cgroup-manager disabled.*\/linux\/resources\/pids\/limit/, DISABLED)
})
