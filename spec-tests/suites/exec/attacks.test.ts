// Attacks on a process that is on its way into a container (exec), from the container's root with all that it may have.
import { copyFileSync, readFileSync, renameSync, statSync } from 'node:fs'
import {
  addBusybox,
  type Bundle,
  bundle,
  deepEqual,
  doesNotMatch,
  equal,
  match,
  runtime,
  sandbox,
  scratch,
  test,
} from '../../lib'

const ALL = ['CAP_SYS_PTRACE', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_FOWNER', 'CAP_SYS_ADMIN', 'CAP_KILL']

/** For each new process: follows its executable and its descriptors, traces it, and writes where it can. */
const SCRIPT = `
echo ready
i=0
while [ ! -e /stop ]; do
  for p in /proc/[0-9]*; do
    pid=\${p#/proc/}
    [ "$pid" = 1 ] || [ "$pid" = $$ ] && continue
    exe=$(busybox readlink $p/exe 2>/dev/null) || continue
    case "$exe" in
      /bin/*) continue ;;
    esac
    echo "caught $exe"
    for fd in $p/fd/*; do
      [ "\${fd##*/}" -gt 2 ] && echo "fd $(busybox readlink $fd)"
      [ -e $fd/boot ] && echo "descriptor of the host"
    done
    (exec 9< $p/exe && echo overwritten > /proc/self/fd/9) && echo written
    [ -e $p/root/boot ] && echo "root of the host"
    [ -e $p/cwd/boot ] && echo "directory of the host"
  done
done 2>/dev/null
echo stopped`

const hostile = async (): Promise<Bundle> => {
  const b = await bundle((c, b) => {
    addBusybox(b.rootfs)
    c.root.readonly = false
    c.process.args = ['/bin/busybox', 'sh', '-c', SCRIPT]
    c.process.capabilities = { bounding: ALL, effective: ALL, permitted: ALL }
  })
  await b.create()
  await b.start()
  await b.line(/ready/)
  return b
}

const guard = (): (() => void) => {
  const { path } = runtime()
  const copy = scratch('runtime')
  copyFileSync(path, copy)
  const content = readFileSync(path)
  const { ino, mode, size, mtimeMs } = statSync(path)
  sandbox().undo.push(() => {
    if (!content.equals(readFileSync(path))) {
      copyFileSync(copy, `${path}.restored`)
      renameSync(`${path}.restored`, path)
    }
  })
  return () => {
    const now = statSync(path)
    deepEqual([now.ino, now.mode, now.size, now.mtimeMs], [ino, mode, size, mtimeMs])
    equal(content.equals(readFileSync(path)), true)
  }
}

const stop = async (b: Bundle): Promise<string> => {
  b.file('stop', '')
  await b.line(/stopped/)
  return b.output()
}

test('exec: CVE-2016-9962, CVE-2019-5736: what a container catches of processes on their way in leads to nothing of the host', {
  peers: { runc: 'has files open on its way' },
  sometimes: true,
}, async () => {
  const untouched = guard()
  const b = await hostile()
  for (let i = 0; i < 15; i++) {
    const { status, stderr } = await b.tryExec({}, '/bin/probe', 'echo', 'x')
    equal(status, 0, stderr)
  }
  const said = await stop(b)
  doesNotMatch(said, /written|of the host/)
  // Pipes and sockets between the two halves of the runtime, and the container's own root, are no way to the host.
  doesNotMatch(said, /^fd \/(?!memfd:)./m)
  untouched()
})

test('exec: CVE-2019-5736: a program that is /proc/self/exe is no file of the host', async () => {
  const untouched = guard()
  const b = await hostile()
  b.file('entry', '#!/proc/self/exe\n', 0o755)
  for (let i = 0; i < 5; i++) {
    await b.tryExec({}, '/proc/self/exe', 'exec', 'x')
    await b.tryExec({}, '/entry')
  }
  doesNotMatch(await stop(b), /written|of the host/)
  untouched()
})

test('exec: into a container that is created and not started: the process runs beside init, which waits on', async () => {
  const b = await bundle()
  b.command(['echo', 'started'])
  await b.create()
  const [report] = await b.exec({}, ['report'])
  equal(report.pid > 1, true)
  equal((await b.state()).status, 'created')
  await b.start()
  await b.reaches('stopped')
  match(b.output(), /started/)
})
