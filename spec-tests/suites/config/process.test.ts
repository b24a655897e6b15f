import { addBusybox, bad, bundle, deepEqual, equal, match, ok, test } from '../../lib'

test('config.md#process [PRC-3a]: cwd is the working directory that will be set for the executable', async () => {
  const b = await bundle((c, b) => {
    c.process.cwd = '/a/b'
    b.directory('a/b')
  })
  equal((await b.report()).cwd, '/a/b')
})

test('config.md#process [PRC-3c]: a cwd that does not exist is made, as every runtime does', async () => {
  const b = await bundle((c) => {
    c.root.readonly = false
    c.process.cwd = '/not/there'
  })
  equal((await b.report()).cwd, '/not/there')
})

test('config.md#process [PRC-3a]: a cwd that only the user may enter', async () => {
  const b = await bundle((c, b) => {
    c.process.cwd = '/tmp/own'
    c.process.user = { uid: 1000, gid: 1000 }
    b.directory('tmp/own', 0o711)
  })
  equal((await b.report()).cwd, '/tmp/own')
})

test('config.md#process [PRC-3b]: cwd MUST be an absolute path', { peers: { crun: 'takes it' } }, async () => {
  const b = await bundle((c) => {
    c.process.cwd = 'tmp'
  })
  await b.refused(/cwd/i)
})

test('config.md#process [PRC-3b]: cwd is REQUIRED', async () => {
  const b = await bundle((c) => {
    c.process.cwd = bad(undefined)
  })
  await b.refused(/cwd/i)
})

test('config.md#process [PRC-4a]: env is the environment, in its order and nothing besides (HOME apart)', async () => {
  const env = ['ZZ=1', 'PATH=/bin', 'AA=x=y', 'EMPTY=', 'HOME=/here']
  const b = await bundle((c) => {
    c.process.env = env
  })
  deepEqual((await b.report()).env, env)
})

test("config.md#process [PRC-4a]: the runtime's own environment does not reach the container", async () => {
  const b = await bundle((c) => {
    c.process.env = ['PATH=/bin', 'HOME=/']
  })
  b.command(['report'])
  const outcome = await b.run({ env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', SECRET: 'x', LANG: 'C' } })
  const [report] = b.answers(outcome.stdout, [['report']])
  deepEqual(report.env, ['PATH=/bin', 'HOME=/'])
})

test('config.md#process [PRC-4a]: env absent leaves an empty environment (HOME apart)', async () => {
  const b = await bundle((c) => {
    c.process.env = bad(undefined)
  })
  const { env } = await b.report()
  deepEqual(
    env.filter((entry) => !entry.startsWith('HOME=')),
    [],
  )
})

test('config.md#process [PRC-4b]: HOME is set from the passwd file of the container when the environment lacks it', async () => {
  const b = await bundle((c, b) => {
    c.process.env = ['PATH=/bin']
    c.process.user = { uid: 1234, gid: 1 }
    b.file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nsomebody:x:1234:1::/home/some:/bin/sh\n')
  })
  ok((await b.report()).env.includes('HOME=/home/some'))
})

test('config.md#process [PRC-4b]: HOME is / when the container has no passwd file', async () => {
  const b = await bundle((c) => {
    c.process.env = ['PATH=/bin']
    c.process.user = { uid: 1234, gid: 1 }
  })
  ok((await b.report()).env.includes('HOME=/'))
})

test('config.md#process [PRC-4b]: of two values of one name the last one counts', {
  peers: { runc: 'passes both on, before 1.3', crun: 'passes both on' },
  sometimes: true,
}, async () => {
  const b = await bundle((c) => {
    c.process.env = ['PATH=/nowhere', 'A=1', 'PATH=/bin', 'A=', 'HOME=/']
  })
  deepEqual((await b.report()).env.toSorted(), ['A=', 'HOME=/', 'PATH=/bin'])
})

test('config.md#process [PRC-4a]: a value of the environment with line ends and bytes beyond ASCII', async () => {
  const b = await bundle((c) => {
    c.process.env = ['A=one\ntwo', 'B=\u00fc', 'HOME=/']
  })
  const { env } = await b.report()
  equal(env[0], 'A=one\ntwo')
  equal(Buffer.from(env[1] ?? '', 'latin1').toString('utf8'), 'B=\u00fc')
})

test('config.md#process [PRC-5a]: args has similar semantics to argv of execvp(3)', async () => {
  const b = await bundle((c) => {
    c.process.args = ['/bin/probe', 'echo', 'a b', '', '"quoted"', '\\n', '$HOME', '*']
  })
  const { stdout } = await b.run()
  deepEqual(JSON.parse(stdout), { words: ['a b', '', '"quoted"', '\\n', '$HOME', '*'] })
})

test("config.md#process [PRC-5b]: args[0] is looked up in the PATH of the container's environment", async () => {
  const b = await bundle((c, b) => {
    c.process.env = ['PATH=/nowhere:/opt/tools:/bin']
    c.process.args = ['probe', 'report']
    b.directory('opt/tools')
  })
  const { stdout } = await b.run()
  match(stdout, /"exe":"\/bin\/probe"/)
  match(stdout, /"args":\["probe","report"\]/)
})

test('config.md#process [PRC-5b]: PATH search goes on after a directory and a file without execute permission of that name', async () => {
  const b = await bundle((c, b) => {
    c.process.env = ['PATH=/one:/two:/bin']
    c.process.args = ['probe', 'echo']
    b.directory('one/probe')
    b.file('two/probe', 'not executable', 0o644)
  })
  await b.run()
})

test('config.md#process [PRC-5b]: an args[0] with a slash is relative to cwd', async () => {
  const b = await bundle((c) => {
    c.process.cwd = '/bin'
    c.process.args = ['./probe', 'echo', 'found']
  })
  match((await b.run()).stdout, /found/)
})

test('config.md#process [PRC-5a]: a script runs through its interpreter', async () => {
  const b = await bundle((c, b) => {
    addBusybox(b.rootfs)
    b.file('script', '#!/bin/sh\necho "script $1"\n', 0o755)
    c.process.args = ['/script', 'ran']
  })
  equal((await b.run()).stdout, 'script ran\n')
})

test('config.md#process [PRC-5c]: args needs at least one entry', async () => {
  const b = await bundle((c) => {
    c.process.args = []
  })
  await b.refused(/args/i)
})

test('config.md#user [PRC-15a]: uid and gid specify the user and group in the container namespace', async () => {
  const b = await bundle((c) => {
    c.process.user = { uid: 1234, gid: 5678 }
  })
  const report = await b.report()
  deepEqual([report.uids, report.gids, report.groups], [[1234, 1234, 1234], [5678, 5678, 5678], []])
})

test('config.md#user [PRC-15b]: additionalGids specifies additional group IDs to be added to the process', async () => {
  const b = await bundle((c) => {
    c.process.user = { uid: 1, gid: 2, additionalGids: [7, 70000, 5] }
  })
  deepEqual(
    (await b.report()).groups.toSorted((x, y) => x - y),
    [5, 7, 70000],
  )
})

test("config.md#user [PRC-15b]: the runtime's own additional groups are dropped", async () => {
  const b = await bundle()
  deepEqual((await b.report()).groups, [])
})

test('config.md#user [PRC-15a]: the largest id', { peers: { runc: 'takes 31 bits only' } }, async () => {
  const b = await bundle((c) => {
    c.process.user = { uid: 4294967294, gid: 4294967294 }
  })
  equal((await b.report()).uids[0], 4294967294)
})

test('config.md#user [PRC-15c]: umask specifies the umask of the user', async () => {
  const b = await bundle((c) => {
    c.process.user.umask = 0o27
  })
  equal((await b.report()).umask, 0o27)
})

test('config.md#user [PRC-15c]: umask 0 is a value too', async () => {
  const b = await bundle((c) => {
    c.process.user.umask = 0
  })
  equal((await b.report()).umask, 0)
})

test("config.md#user [PRC-15c]: if umask is unspecified it is not changed from the calling process's", {
  peers: { runc: 'always 0022', crun: 'always 0022' },
}, async () => {
  const b = await bundle()
  const before = process.umask(0o35)
  try {
    equal((await b.report()).umask, 0o35)
  } finally {
    process.umask(before)
  }
})

test('config.md#linux-process [PRC-10a]: oomScoreAdj adjusts the oom-killer score', async () => {
  const b = await bundle((c) => {
    c.process.oomScoreAdj = 321
  })
  equal((await b.report()).oomScoreAdj.trim(), '321')
})

test('config.md#linux-process [PRC-10b]: if oomScoreAdj is not set the runtime MUST NOT change it', async () => {
  const b = await bundle()
  equal((await b.report()).oomScoreAdj.trim(), '0')
})

test('config.md#linux-process [PRC-10a]: oomScoreAdj 0 is set although it is zero', async () => {
  const b = await bundle((c) => {
    c.process.oomScoreAdj = 0
  })
  equal((await b.report()).oomScoreAdj.trim(), '0')
})

test('config.md#linux-process [PRC-9]: noNewPrivileges prevents processes from gaining additional privileges', async () => {
  const b = await bundle((c) => {
    c.process.noNewPrivileges = true
  })
  equal((await b.report()).noNewPrivileges, true)
})

test('config.md#linux-process [PRC-9]: without noNewPrivileges the bit is not set', async () => {
  const b = await bundle((c) => {
    delete c.process.noNewPrivileges
  })
  equal((await b.report()).noNewPrivileges, false)
})

test('config.md#process [PRC-16]: a new process is PID 1 of its namespace and leads a session of its own', async () => {
  const b = await bundle()
  const report = await b.report()
  deepEqual([report.pid, report.ppid, report.sid, report.pgid], [1, 0, 1, 1])
})

test('config.md#process [PRC-16]: no signal is ignored or blocked', async () => {
  const b = await bundle()
  const report = await b.report()
  match(report.signalsIgnored, /^0+$/)
  match(report.signalsBlocked, /^0+$/)
})

test('config.md#process [PRC-16]: no death signal and no sub-reaper role reach the program', async () => {
  const b = await bundle()
  const report = await b.report()
  deepEqual([report.parentDeathSignal, report.subreaper], [0, 0])
})

test('config.md#process [PRC-16]: the program has a session keyring of its own', async () => {
  const b = await bundle()
  const [keyring] = await b.probe(['keyring'])
  equal(keyring.error, '')
  match(keyring.description, new RegExp(b.id))
})

test('config.md#process [PRC-16]: --no-new-keyring leaves the session keyring of the caller', async () => {
  const b = await bundle()
  b.command(['keyring'])
  const outcome = await b.run({ flags: ['--no-new-keyring'] })
  const [keyring] = b.answers(outcome.stdout, [['keyring']])
  equal(keyring.description.includes(b.id), false)
})

test('config.md#process [PRC-1b]: standard streams of run are those of the caller', async () => {
  const b = await bundle((_, b) => b.file('input', 'what is read'))
  b.command(['stdin'], ['stderr', 'to the error stream'])
  const outcome = await b.run({ stdin: `${b.rootfs}/input` })
  match(outcome.stdout, /what is read/)
  match(outcome.stderr, /to the error stream/)
})
