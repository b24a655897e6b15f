// `exec`: what is refused, with 255 and a story, leaving nothing behind.
import { existsSync, writeFileSync } from 'node:fs'
import { bundle, callRuntime, deepEqual, doesNotMatch, equal, match, scratch, type TestOptions, test } from '../../lib'

const HERE: TestOptions = { only: ['tsrunc'] }

const BAD_FLAGS: readonly (readonly [flags: readonly string[], story: RegExp])[] = [
  [['--cwd', 'tmp'], /--cwd: "tmp" is no absolute path/],
  [['--env', 'NAME'], /--env: "NAME" has not the form NAME=VALUE/],
  [['--env', '=x'], /--env: /],
  [['--cap', 'CAP_NOTHING'], /--cap: "CAP_NOTHING" is no capability/],
  [['-g', 'wheel'], /--additional-gids: "wheel"/],
  [['--preserve-fds', '5'], /bad file descriptor/],
  [['--console-socket', '/nowhere'], /cannot use console socket/],
  [['--tty', '--detach'], /cannot allocate tty/],
  [['--cgroup', '/../x'], /leads out of the container's cgroup/],
  [['--cgroup', '/nothing-here'], /no such file or directory/],
  [['--apparmor', 'no-such-profile'], /AppArmor/],
  [['--process-label', 'a:b:c'], /SELinux/],
  [['--process', '/nowhere.json'], /process file "\/nowhere.json": no such file or directory/],
  [['--no-such-option'], /unknown option/],
]

test('exec: values that mean nothing are refused', HERE, async () => {
  const b = await bundle()
  await b.startIdle()
  for (const [flags, story] of BAD_FLAGS) {
    const { status, stderr } = await b.tryExec({ flags }, '/bin/probe', 'report')
    equal(status, 255, `${flags.join(' ')}: ${stderr}`)
    match(stderr, story)
  }
})

test('exec --user: the largest ids that the kernel has', HERE, async () => {
  const b = await bundle()
  await b.startIdle()
  const [report] = await b.exec({ flags: ['-u', '4294967294:4294967294'] }, ['report'])
  deepEqual([report.uids[0], report.gids[0]], [4294967294, 4294967294])
})

test('exec: a program that is missing or cannot be run, in the words that callers look for', HERE, async () => {
  const b = await bundle((_, own) => {
    own.file('plain', 'text\n', 0o644)
    own.file('script', '#!/nowhere/sh\n', 0o755)
  })
  await b.startIdle()
  for (const [program, story] of [
    ['nothing', /exec "nothing": executable file not found in \$PATH/],
    ['/nothing', /exec "\/nothing": no such file or directory/],
    ['/plain', /exec "\/plain": permission denied/],
    ['/script', /no such file or directory.*\/nowhere\/sh/],
    ['/tmp', /is a directory|permission denied/],
  ] as const) {
    for (const flags of [[], ['--detach']]) {
      const file = scratch('pid')
      const { status, stderr } = await b.tryExec({ flags: [...flags, '--pid-file', file] }, program)
      equal(status, 255)
      match(stderr, story)
      equal(existsSync(file), false, 'the pid file of a process that never was')
    }
  }
})

test('exec: no container, a stopped one, a paused one', HERE, async () => {
  const none = await callRuntime(['exec', 'no-such-container', 'true'])
  equal(none.status, 255)
  match(none.stderr, /container "no-such-container" does not exist/)
  const b = await bundle()
  await b.startIdle()
  await b.tryCall('pause')
  const paused = await b.tryExec({}, '/bin/probe', 'report')
  equal(paused.status, 255)
  match(paused.stderr, /cannot exec in a paused container \(use --ignore-paused to override\)/)
  await b.tryCall('resume')
  await b.kill('KILL')
  await b.reaches('stopped')
  const stopped = await b.tryExec({}, '/bin/probe', 'report')
  equal(stopped.status, 255)
  match(stopped.stderr, /cannot exec in a stopped container/)
})

test('exec: a process file that is not one', HERE, async () => {
  const b = await bundle()
  await b.startIdle()
  const file = scratch('process.json')
  for (const [text, story] of [
    ['{', /line 1/],
    ['{"cwd": "/", "args": []}', /\/args: must have at least one entry/],
    ['{"cwd": "x", "args": ["y"]}', /\/cwd: must be an absolute path/],
    ['{"cwd": "/", "args": ["y"], "user": {"uid": -1}}', /\/user\/uid/],
  ] as const) {
    writeFileSync(file, text)
    const { status, stderr } = await b.tryExec({ flags: ['--process', file] })
    equal(status, 255)
    match(stderr, story)
    doesNotMatch(stderr, /config\.json/)
  }
})
