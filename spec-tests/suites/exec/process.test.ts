// `exec`: what the process is, told from inside: by the configuration, by flags, by a process file.
import { readlinkSync, writeFileSync } from 'node:fs'
import {
  bundle,
  deepEqual,
  doesNotInclude,
  equal,
  includes,
  match,
  ok,
  requires,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const HERE: TestOptions = { only: ['tsrunc'] }

/** CAP_KILL, CAP_NET_BIND_SERVICE, CAP_NET_RAW of linux/capability.h. */
const [KILL, BIND, RAW] = [5, 10, 13]

test('exec: the process is that of the configuration, with another command', {
  peers: {
    runc: '1.1 leaves the umask of the configuration out',
    crun: 'takes nothing of the process but the environment',
  },
}, async () => {
  const b = await bundle((c) => {
    c.process.user = { uid: 7, gid: 8, additionalGids: [9], umask: 0o027 }
    c.process.env = ['PATH=/bin', 'CONFIGURED=1']
    c.process.cwd = '/tmp'
    c.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 128 }]
    c.process.oomScoreAdj = 321
    c.process.noNewPrivileges = true
  })
  await b.startIdle()
  const [report, echo] = await b.exec({}, ['report'], ['echo', 'a b', ''])
  deepEqual([report.uids, report.gids, report.groups], [[7, 7, 7], [8, 8, 8], [9]])
  equal(report.umask, 0o027)
  equal(report.cwd, '/tmp')
  includes(report.env, 'CONFIGURED=1')
  deepEqual(report.rlimits['RLIMIT_NOFILE'], ['64', '128'])
  equal(report.oomScoreAdj.trim(), '321')
  equal(report.noNewPrivileges, true)
  deepEqual(echo.words, ['a b', ''])
})

test('exec: in all namespaces and cgroups of the container', async () => {
  const b = await bundle()
  const { pid } = await b.startIdle()
  const [report, processes] = await b.exec({}, ['report'], ['processes'])
  for (const [name, link] of Object.entries(report.namespaces)) {
    equal(link, readlinkSync(`/proc/${pid}/ns/${name}`), name)
  }
  ok(processes.processes.some(({ pid: inner }) => inner === 1))
  const cgroups = (text: string) =>
    text
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('0::'))
      .sort()
  const [own] = await b.exec({}, ['read', '/proc/self/cgroup'])
  const [first] = await b.exec({}, ['read', '/proc/1/cgroup'])
  deepEqual(cgroups(own.data), cgroups(first.data))
})

test('exec --env --cwd --user --additional-gids', { peers: { crun: 'has no --additional-gids' } }, async () => {
  const b = await bundle((c) => {
    c.process.env = ['PATH=/bin', 'A=old', 'B=kept']
    c.process.user = { uid: 0, gid: 4 }
  })
  await b.startIdle()
  const flags = [
    '-e',
    'A=new',
    '-e',
    'C=x=y',
    '--cwd',
    '/tmp',
    '--user',
    '1000',
    '--additional-gids',
    '77',
    '--additional-gids',
    '78',
  ]
  const [report] = await b.exec({ flags }, ['report'])
  includes(report.env, 'A=new')
  includes(report.env, 'B=kept')
  includes(report.env, 'C=x=y')
  doesNotInclude(report.env, 'A=old')
  equal(report.cwd, '/tmp')
  // The group stays without a GID.
  deepEqual(
    [report.uids, report.gids],
    [
      [1000, 1000, 1000],
      [4, 4, 4],
    ],
  )
  deepEqual([...report.groups].sort(), [77, 78])
})

test('exec: HOME is that of the user in the container', async () => {
  const b = await bundle((c, own) => {
    c.process.env = ['PATH=/bin']
    own.file('etc/passwd', 'root:x:0:0:r:/root:/bin/sh\nsomeone:x:1000:1000:s:/home/someone:/bin/sh\n')
  })
  await b.startIdle()
  const [report] = await b.exec({ flags: ['--user', '1000:1000'] }, ['report'])
  includes(report.env, 'HOME=/home/someone')
})

test('exec --cap adds to bounding, effective and permitted, never to inheritable', {
  peers: { crun: 'the capabilities of the flags are all that there are' },
}, async () => {
  const b = await bundle((c) => {
    c.process.capabilities = { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] }
  })
  await b.startIdle()
  const [report] = await b.exec({ flags: ['--cap', 'CAP_NET_RAW', '--cap', 'CAP_NET_BIND_SERVICE'] }, ['report'])
  const wanted = [KILL, BIND, RAW]
  deepEqual(report.capabilities.bounding, wanted)
  deepEqual(report.capabilities.effective, wanted)
  deepEqual(report.capabilities.permitted, wanted)
  deepEqual(report.capabilities.inheritable, [])
  deepEqual(report.capabilities.ambient, [])
})

test('exec --no-new-privs', async () => {
  const b = await bundle((c) => {
    c.process.noNewPrivileges = false
  })
  await b.startIdle()
  const [without] = await b.exec({}, ['report'])
  const [report] = await b.exec({ flags: ['--no-new-privs'] }, ['report'])
  deepEqual([without.noNewPrivileges, report.noNewPrivileges], [false, true])
})

test('exec: the system call filter of the container holds', async () => {
  const b = await bundle((c) => {
    c.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['getpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 42 }],
    }
    c.process.noNewPrivileges = false
  })
  await b.startIdle()
  requires('x86_64')
  // getpriority(2) is 140.
  const [call, report] = await b.exec({}, ['syscall', '140', '0', '0'], ['report'])
  equal(call.errno, 42)
  equal(report.seccomp, 2)
})

test('exec --process: the whole process, the limits that it does not name from the configuration', {
  peers: { runc: '1.1 takes no rlimits from the configuration', crun: 'takes no rlimits from the configuration' },
}, async () => {
  const b = await bundle((c) => {
    c.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 128 }]
    c.process.env = ['PATH=/bin', 'CONFIGURED=1']
  })
  await b.startIdle()
  const file = scratch('process.json')
  const process = { cwd: '/tmp', args: ['/bin/probe', 'report'], env: ['ONLY=this'], user: { uid: 5, gid: 6 } }
  writeFileSync(file, JSON.stringify(process))
  const { stdout } = await b.tryExec({ flags: ['--process', file] })
  const [report] = b.answers(stdout, [['report']])
  deepEqual([report.uids[0], report.gids[0], report.cwd], [5, 6, '/tmp'])
  includes(report.env, 'ONLY=this')
  doesNotInclude(report.env, 'CONFIGURED=1')
  deepEqual(report.rlimits['RLIMIT_NOFILE'], ['64', '128'])
})

test('exec --process: flags change what the file says', HERE, async () => {
  const b = await bundle()
  await b.startIdle()
  const file = scratch('process.json')
  writeFileSync(file, JSON.stringify({ cwd: '/', args: ['/bin/probe', 'report'], env: ['A=file'] }))
  const { stdout } = await b.tryExec({ flags: ['--process', file, '--env', 'A=flag', '--cwd', '/tmp'] })
  const [report] = b.answers(stdout, [['report']])
  includes(report.env, 'A=flag')
  equal(report.cwd, '/tmp')
})

test(
  'exec: execCPUAffinity [PRC-13a]: on the final CPUs, and without them on those of the container',
  HERE,
  async () => {
    const b = await bundle((c) => {
      c.process.execCPUAffinity = { initial: '0', final: '1' }
    })
    requires('root')
    await b.startIdle()
    const [with_] = await b.exec({}, ['scheduling'])
    deepEqual(with_.cpus, [1])
    const file = scratch('process.json')
    const process = { cwd: '/', args: ['/bin/probe', 'scheduling'], env: [], execCPUAffinity: { initial: '0' } }
    writeFileSync(file, JSON.stringify(process))
    const { stdout } = await b.tryExec({ flags: ['--process', file] })
    const [first] = await b.exec({}, ['read', '/proc/1/status'])
    const [without] = b.answers(stdout, [['scheduling']])
    ok(without.cpus.length > 1, first.data)
  },
)

test('exec: short and long forms of an option may be mixed', HERE, async () => {
  const b = await bundle()
  await b.startIdle()
  const flags = [
    '--env',
    'A=1',
    '-e',
    'B=2',
    '-g',
    '77',
    '--additional-gids',
    '78',
    '-c',
    'net_raw',
    '--cap',
    'CAP_KILL',
  ]
  const [report] = await b.exec({ flags }, ['report'])
  includes(report.env, 'A=1')
  includes(report.env, 'B=2')
  deepEqual([...report.groups].sort(), [77, 78])
  includes(report.capabilities.effective, KILL)
  includes(report.capabilities.effective, RAW)
})

test('exec: options end at the ID, and -- behind it is no command', HERE, async () => {
  const b = await bundle()
  await b.startIdle()
  const plain = await b.tryExec({}, '/bin/probe', 'echo', '--user', '-t')
  match(plain.stdout, /"--user","-t"/)
  const dashes = await b.tryExec({}, '--', '/bin/probe', 'echo', 'x')
  match(dashes.stdout, /"x"/)
})
