import { bad, bundle, deepEqual, equal, hasCapability, match, requiresThat, test } from '../../lib'

const CHOWN = 0
const KILL = 5
const SETUID = 7
const NET_RAW = 13

const NONE = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] }

test('config.md#linux-process [PRC-8a]: effective, permitted and bounding sets are as listed', async () => {
  const b = await bundle((c) => {
    c.process.capabilities = {
      ...NONE,
      bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_CHOWN'],
    }
  })
  const { capabilities } = await b.report()
  // With no_new_privs the execve(2) of root adds nothing to the permitted set and makes all of it effective.
  deepEqual(capabilities.bounding, [CHOWN, KILL, NET_RAW])
  deepEqual(capabilities.permitted, [CHOWN, KILL])
  deepEqual(capabilities.effective, [CHOWN, KILL])
  deepEqual(capabilities.inheritable, [])
  deepEqual(capabilities.ambient, [])
})

test('config.md#linux-process [PRC-8a]: ambient capabilities survive the execve of an unprivileged user', async () => {
  const list = ['CAP_NET_RAW', 'CAP_KILL']
  const b = await bundle((c) => {
    c.process.user = { uid: 1000, gid: 1000 }
    c.process.capabilities = { bounding: list, effective: list, permitted: list, inheritable: list, ambient: list }
  })
  const { capabilities } = await b.report()
  for (const set of ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const) {
    deepEqual(capabilities[set], [KILL, NET_RAW], set)
  }
})

test('config.md#linux-process [PRC-8a]: one of two capabilities is ambient', async () => {
  const both = ['CAP_NET_RAW', 'CAP_KILL']
  const b = await bundle((c) => {
    c.process.user = { uid: 1000, gid: 1000 }
    c.process.capabilities = {
      bounding: both,
      effective: both,
      permitted: both,
      inheritable: both,
      ambient: ['CAP_KILL'],
    }
  })
  const { capabilities } = await b.report()
  deepEqual(capabilities.ambient, [KILL])
  deepEqual(capabilities.effective, [KILL])
  deepEqual(capabilities.inheritable, [KILL, NET_RAW])
})

test('config.md#linux-process [PRC-8a]: an unprivileged user without ambient capabilities has none after execve', async () => {
  const b = await bundle((c) => {
    c.process.user = { uid: 1000, gid: 1000 }
  })
  const { capabilities } = await b.report()
  deepEqual(capabilities.effective, [])
  deepEqual(capabilities.permitted, [])
  equal(capabilities.bounding.length, 3)
})

test('config.md#linux-process [PRC-8a]: every set empty leaves nothing', async () => {
  const b = await bundle((c) => {
    c.process.capabilities = NONE
  })
  const { capabilities } = await b.report()
  for (const set of ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const) {
    deepEqual(capabilities[set], [], set)
  }
})

test('config.md#linux-process [PRC-8c]: without the property the container has none', async () => {
  const b = await bundle((c) => {
    c.process.capabilities = bad(undefined)
  })
  deepEqual((await b.report()).capabilities.effective, [])
})

test('config.md#linux-process [PRC-8a]: the effect of a capability, and of its absence', async () => {
  const b = await bundle((c, b) => {
    c.root.readonly = false
    c.process.capabilities = { ...NONE, bounding: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'], effective: ['CAP_CHOWN'] }
    b.file('owned', '')
  })
  const [owned, hostname] = await b.probe(['chown', '/owned', '7', '7'], ['syscall', 'sethostname', 's:x', '1'])
  equal(owned.error, '')
  equal(hostname.error, 'EPERM')
})

test('config.md#linux-process [PRC-8b GEN-4]: any value which cannot be mapped to a relevant kernel interface MUST be logged, not refused', async () => {
  const b = await bundle((c) => {
    c.process.capabilities = { ...NONE, bounding: ['CAP_SETUID', 'CAP_NO_SUCH_THING'] }
  })
  b.command(['report'])
  const outcome = await b.run()
  const [report] = b.answers(outcome.stdout, [['report']])
  deepEqual(report.capabilities.bounding, [SETUID])
})

test('config.md#linux-process [PRC-8b GEN-4]: an unknown capability is named in a warning', {
  peers: { crun: 'says nothing' },
}, async () => {
  const b = await bundle((c) => {
    c.process.capabilities = { ...NONE, bounding: ['CAP_NO_SUCH_THING'] }
  })
  match((await b.run()).stderr, /CAP_NO_SUCH_THING/)
})

test('config.md#linux-process [PRC-8b GEN-4]: a capability that the runtime itself lacks is a warning only', {
  peers: { runc: 'fails', crun: 'fails' },
}, async () => {
  requiresThat(!hasCapability('CAP_SYS_RESOURCE'), 'a host without CAP_SYS_RESOURCE')
  const all = ['CAP_SYS_RESOURCE', 'CAP_KILL']
  const b = await bundle((c) => {
    c.process.capabilities = { bounding: all, effective: all, permitted: all, inheritable: all, ambient: all }
  })
  const { capabilities } = await b.report()
  for (const set of ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const) {
    deepEqual(capabilities[set], [KILL], set)
  }
})

test('config.md#linux-process [PRC-8b]: an inheritable capability that is not in the bounding set is a warning only', {
  peers: { runc: 'fails', crun: 'fails' },
}, async () => {
  const b = await bundle((c) => {
    c.process.capabilities = {
      bounding: ['CAP_KILL'],
      effective: ['CAP_KILL'],
      permitted: ['CAP_KILL'],
      inheritable: ['CAP_KILL', 'CAP_CHOWN'],
      ambient: [],
    }
  })
  const { capabilities } = await b.report()
  deepEqual(capabilities.inheritable, [KILL])
})
