/**
 * Shows that tests of spec-tests/suites/security, those of the advisories and of the races, fail without the defences: takes
 * each defence out of the sources, builds, runs the tests, and puts it back. As root, in a checkout without changes:
 *
 *   npm run mutations -- [SUITE…]        # cve-2019-5736 exchanged
 *
 * A mutation that no test notices is an error. It takes a minute or two for each.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

interface Mutation {
  /** Files of tests, by the ends of their names; each of them has to fail. */
  readonly suites: readonly string[]
  /** Each of the tests whose titles match has to fail, and others are not run. */
  readonly titles?: string
  /** Whether the tests are run with a planner. */
  readonly planner?: true
  /** The defence that is taken out. */
  readonly without: string
  readonly edits: readonly Edit[]
}

/** As a runtime does that only puts the root's path before the container's: absolute links lead to the host. */
const RESOLVED_BY_THE_HOST: Edit = {
  file: 'native/sys/kernel.cc',
  from: '  open_how how{};',
  to: `  if ((resolve & RESOLVE_IN_ROOT) != 0) {
    resolve = 0;
    while (*path == '/') {
      ++path;
    }
    path = *path == 0 ? "." : path;
  }
  open_how how{};`,
}

const MAY_COVER_PROC: readonly Edit[] = [
  {
    file: 'native/engine/init/mount_tree.cc',
    from: 'if (at_proc && !is_proc) {',
    to: 'if (at_proc && !is_proc && covered.f_type == 1) {',
  },
  {
    file: 'native/engine/init/mount_tree.cc',
    from: 'if (!at_proc && covered.f_type == PROC_SUPER_MAGIC',
    to: 'if (!at_proc && covered.f_type == 1',
  },
]

const PROC_BEHIND_LINKS: Edit = {
  file: 'native/engine/init/mount_fs.cc',
  from: 'RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS',
  to: 'RESOLVE_IN_ROOT',
}

const MUTATIONS: readonly Mutation[] = [
  {
    suites: ['cve-2016-9962'],
    without: 'being undumpable on the way into the container',
    edits: [
      {
        file: 'native/engine/host/clone_init.cc',
        from: 'if (::geteuid() == 0 && ::prctl(PR_SET_DUMPABLE, 0) < 0) {',
        to: 'if (::prctl(PR_SET_DUMPABLE, 1) < 0) {',
      },
    ],
  },
  {
    suites: ['cve-2019-16884', 'cve-2025-52881'],
    without: 'the refusal of mounts over /proc',
    edits: MAY_COVER_PROC,
  },
  {
    suites: ['cve-2019-19921', 'cve-2023-28642'],
    without: 'the refusal of links at /proc and /sys',
    edits: [PROC_BEHIND_LINKS],
  },
  {
    suites: ['cve-2023-27561'],
    without: 'the refusal of links at /proc, and of mounts over it',
    edits: [PROC_BEHIND_LINKS, ...MAY_COVER_PROC],
  },
  {
    suites: ['cve-2019-5736'],
    without: 'the copy of the executable that nobody can write to',
    edits: [{ file: 'native/addon/hand_off.cc', from: '  if (sealed) {', to: '  if (false && sealed) {' }],
  },
  {
    suites: ['cve-2019-5736'],
    without: 'the exchange of the executable by a call that a planner plans',
    planner: true,
    edits: [
      {
        file: 'native/launcher/warm.cc',
        from: 'if (become_in_place(copy.get())) {',
        to: 'if (copy.valid()) {',
      },
    ],
  },
  {
    suites: ['cve-2021-30465', 'cve-2024-45310', 'cve-2026-41579', 'cve-2026-47766'],
    without: 'the resolution of paths beneath the root',
    edits: [RESOLVED_BY_THE_HOST],
  },
  {
    suites: ['cve-2020-15257'],
    without: "the path of the shim's socket: its address is abstract",
    edits: [
      {
        file: 'native/shim/place.cc',
        from: '  sys::Text(address.sun_path).add(path);',
        to: '  sys::Text(address.sun_path).add(path);\n  address.sun_path[0] = 0;',
      },
    ],
  },
  {
    suites: ['cve-2020-15257'],
    without: "the modes of the shim's socket and its directory",
    edits: [
      { file: 'native/shim/place.cc', from: '::umask(0177)', to: '::umask(0)' },
      { file: 'native/shim/place.cc', from: 'out.directory, 0700, out.fd)', to: 'out.directory, 0755, out.fd)' },
    ],
  },
  {
    suites: ['cve-2021-43784'],
    without: 'lengths of more than 16 bits',
    edits: [
      {
        file: 'src/plan/byte-writer.ts',
        from: 'this.view.setUint32(at, size, true)',
        to: 'this.view.setUint32(at, size & 0xffff, true)',
      },
    ],
  },
  {
    suites: ['cve-2022-29162'],
    without: 'an inheritable set of its own',
    edits: [
      {
        file: 'src/plan/credentials.ts',
        from: "const inheritable = mask(builder, process, 'inheritable')",
        to: "const inheritable = mask(builder, process, 'bounding')",
      },
    ],
  },
  {
    suites: ['cve-2025-27612'],
    without: 'an inheritable set that --cap adds nothing to',
    edits: [
      {
        file: 'src/plan/exec-process.ts',
        from: '    permitted: union(old?.permitted, caps),',
        to: '    permitted: union(old?.permitted, caps),\n    inheritable: union(old?.inheritable, caps),',
      },
    ],
  },
  {
    suites: ['cve-2026-30892'],
    without: 'a strict reading of numbers',
    edits: [
      {
        file: 'src/plan/exec-process.ts',
        from: 'const id = /^(?:0|[1-9]\\d{0,9})$/.test(text) ? Number(text) : Number.NaN',
        to: 'const id = Number.parseInt(text, 10) || 0',
      },
    ],
  },
  {
    suites: ['cve-2025-64329'],
    without: "a monitor's notice of the end of a connection",
    edits: [
      {
        file: 'native/launcher/monitor_client.cc',
        from: `  if (got == 0 || !for_now()) {
    drop();
  }
  return false;
}

bool MonitorClient::begin_frame`,
        to: `  return false;
}

bool MonitorClient::begin_frame`,
      },
    ],
  },
  {
    suites: ['cve-2023-25809'],
    without: "the bind of the container's own cgroup instead of the whole hierarchy",
    edits: [
      {
        file: 'src/plan/mount-cgroup.ts',
        from: "if (builder.namespaces.kinds.cgroup === 'host') {",
        to: "if (builder.namespaces.kinds.cgroup === 'path') {",
      },
    ],
  },
  {
    suites: ['cve-2024-21626'],
    without: 'the closing of descriptors and the look at the working directory',
    edits: [
      {
        file: 'native/sys/kernel.cc',
        from: 'return ::syscall(SYS_close_range, first, last, flags) < 0 ? fail("close_range") : kOk;',
        to: '(void)first, (void)last, (void)flags;\n  return kOk;',
      },
      { file: 'native/engine/init/process.cc', from: "if (current[0] != '/') {", to: 'if (current[0] == 0) {' },
    ],
  },
  {
    suites: ['cve-2024-25621'],
    without: 'the mode of the directories',
    edits: [
      { file: 'native/engine/state_dir.cc', from: '::mkdir(path, 0700)', to: '::mkdir(path, 0755)' },
      {
        file: 'native/engine/state_dir.cc',
        from: '::mkdirat(root_fd.get(), id, 0700)',
        to: '::mkdirat(root_fd.get(), id, 0755)',
      },
    ],
  },
  {
    suites: ['cve-2025-31133'],
    without: "the host's own /dev/null for masks, and the proof that it is that device",
    edits: [
      {
        file: 'native/engine/init/masks.cc',
        from: 'sys::open_host("/dev/null", O_PATH | O_NOFOLLOW)',
        to: 'open_in_root(context, "/dev/null")',
      },
      {
        file: 'native/engine/init/masks.cc',
        from: 'if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {',
        to: 'if (status.st_mode == 0) {',
      },
    ],
  },
  {
    suites: ['cve-2025-52565'],
    without: 'the terminal by its descriptor: it is opened by its name',
    edits: [
      {
        file: 'native/engine/init/console.cc',
        from: '  const UniqueFd slave(::ioctl(master->get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));',
        to: `  unsigned number = 0;
  char name[32] = "/dev/pts/0";
  if (::ioctl(master->get(), TIOCGPTN, &number) < 0 || number > 9) {
    return fail("ioctl", "/dev/ptmx");
  }
  name[9] = static_cast<char>('0' + number);
  Result<UniqueFd> named = open_in_root(context, name, O_RDWR | O_NOCTTY);
  const UniqueFd slave = std::move(*named);`,
      },
      {
        file: 'native/engine/init/console.cc',
        from: '  TSRUNC_TRY(check_slave(slave.get()));',
        to: '  (void)check_slave(slave.get());',
      },
      {
        file: 'native/engine/init/console.cc',
        from: 'if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2)) {',
        to: 'if (status.st_mode == 0) {',
      },
      {
        file: 'native/engine/init/console.cc',
        from: 'if (op.of_init && ::ioctl(0, TIOCSCTTY, 0) < 0) {',
        to: 'if (op.of_init && ::ioctl(0, TIOCSCTTY, 0) == 1) {',
      },
    ],
  },
  {
    suites: ['exchanged'],
    titles: 'the place of (sysfs|the devices|devpts) |/dev without a mount|directory that is made',
    without: 'the resolution of paths beneath the root',
    edits: [RESOLVED_BY_THE_HOST],
  },
  {
    suites: ['exchanged'],
    titles: 'the place of procfs ',
    without: 'the resolution of paths beneath the root, and the refusal of links at /proc',
    edits: [RESOLVED_BY_THE_HOST, PROC_BEHIND_LINKS],
  },
  {
    suites: ['exchanged'],
    titles: 'a device is exchanged',
    without: "a device's own file: a link there is followed",
    edits: [
      {
        file: 'native/engine/init/devices.cc',
        from: 'const UniqueFd existing = sys::open_entry(directory, parent->name, O_PATH);',
        to: 'const UniqueFd existing(::openat(directory, parent->name, O_PATH | O_CLOEXEC));',
      },
    ],
  },
  {
    suites: ['exchanged'],
    titles: 'the place of the console',
    without: "a new file's name of its own: a link there is followed",
    edits: [
      {
        file: 'native/engine/init/root_path.cc',
        from: 'const UniqueFd made = sys::open_entry(directory, name, O_CREAT | O_EXCL | O_WRONLY, 0644);',
        to: 'const UniqueFd made(::openat(directory, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));',
      },
    ],
  },
  {
    suites: ['exchanged'],
    titles: 'the root itself',
    without: "the root's one descriptor: its path is looked up once more",
    edits: [
      {
        file: 'native/engine/init/rootfs.cc',
        from: '::move_mount(tree.get(), "", root->get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)',
        to: '::move_mount(tree.get(), "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH)',
      },
      {
        file: 'native/engine/init/rootfs.cc',
        from: '  context.root = std::move(tree);',
        to: '  root = sys::open_host(path, O_PATH | O_DIRECTORY);\n  context.root = std::move(*root);',
      },
    ],
  },
]

const ROOT = join(__dirname, '..')

const run = (command: readonly string[]): boolean => {
  const [program = '', ...args] = command
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) process.stdout.write(`${stdout}${stderr}`.split('\n').slice(-25).join('\n'))
  return status === 0
}

const build = (): boolean =>
  ['build:ts', 'build:native', 'build:cache'].every((script) => run(['npm', 'run', '--silent', script]))

/** @throws Error where the text is not there, or not once: the defence has moved */
const apply = ({ file, from, to }: Edit): void => {
  const path = join(ROOT, file)
  const text = readFileSync(path, 'utf8')
  if (text.split(from).length !== 2) throw new Error(`${file} does not have exactly once: ${from}`)
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
}

interface TestReport {
  readonly numFailedTests: number
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[]
  }[]
}

/** As often as a race needs to be lost once. */
const RACES = { SPEC_RACE_TRIES: '300' }

const report = (suite: string, { titles, planner }: Mutation): TestReport => {
  const chosen = titles === undefined ? [] : ['--testNamePattern', titles]
  const args = ['run', '--silent', 'spec-test', '--', '--reporter=json', `security/${suite}`, ...chosen]
  const races = titles === undefined ? {} : RACES
  const env = { ...process.env, ...races, SPEC_TESTS_PLANNER: planner === true ? 'on' : '' }
  const { stdout } = spawnSync('npm', args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 1 << 28 })
  return JSON.parse(stdout.slice(stdout.indexOf('{'))) as TestReport
}

/** Whether the tests failed: one of the suite, or each that was chosen. */
const isNoticed = (suite: string, mutation: Mutation): boolean => {
  const { titles } = mutation
  const { numFailedTests, numPassedTests, testResults } = report(suite, mutation)
  const noticed = numFailedTests > 0 && (titles === undefined || numPassedTests === 0)
  process.stdout.write(
    `  ${suite}: ${numFailedTests} failed, ${numPassedTests} passed${noticed ? '' : ': NOT NOTICED'}\n`,
  )
  if (!noticed) {
    for (const { status, title } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
      if (status === 'passed') process.stdout.write(`    passed: ${title}\n`)
    }
  }
  return noticed
}

/** The suites that did not notice. */
const attempt = (mutation: Mutation): readonly string[] => {
  const { suites, without, edits } = mutation
  process.stdout.write(`without ${without}\n`)
  try {
    for (const edit of edits) apply(edit)
    if (!build()) throw new Error(`it cannot be built without ${without}`)
    return suites.filter((suite) => !isNoticed(suite, mutation))
  } finally {
    execFileSync('git', ['checkout', '--quiet', '--', ...edits.map(({ file }) => file)], { cwd: ROOT })
  }
}

const main = (): number => {
  if (execFileSync('git', ['status', '--porcelain'], { cwd: ROOT, encoding: 'utf8' }) !== '') {
    process.stderr.write('mutations: the checkout has changes; they would be lost\n')
    return 2
  }
  const wanted = process.argv.slice(2)
  const chosen = MUTATIONS.filter(({ suites }) => wanted.length === 0 || suites.some((suite) => wanted.includes(suite)))
  const missed: string[] = []
  try {
    for (const mutation of chosen) missed.push(...attempt(mutation))
  } finally {
    build()
  }
  return missed.length === 0 && chosen.length > 0 ? 0 : 1
}

process.exitCode = main()
