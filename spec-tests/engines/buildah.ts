import { equal, match } from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { ARCHIVE, IMAGE } from './image'
import { attempt, type Engine, type Row, run, runOnTerminal } from './row'

const rows: Row[] = []
const row = (what: string, check: () => Promise<void>, ...verbs: string[]): void => {
  rows.push({ engine: 'buildah', what, verbs, check })
}

const buildah = (...args: string[]): Promise<string> => run(['buildah', ...args])
const RUNTIME = ['--runtime', '/usr/local/sbin/tsrunc', '--isolation', 'oci']

const begin = async (): Promise<void> => {
  mkdirSync('/etc/containers', { recursive: true })
  writeFileSync('/etc/containers/policy.json', '{"default": [{"type": "insecureAcceptAnything"}]}')
  // This machine may not raise limits.
  const ulimits = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
  writeFileSync('/etc/containers/containers.conf', ulimits)
  await buildah('pull', `docker-archive:${ARCHIVE}`)
}

const withContainer = async (use: (id: string) => Promise<void>): Promise<void> => {
  const id = await buildah('from', '--pull-never', IMAGE)
  await use(id)
  await buildah('rm', id)
}

row('run: output, environment, user, working directory; its changes stay', async () => {
  await withContainer(async (id) => {
    const options = ['--env', 'ONE=1', '--user', 'alice', '--workingdir', '/tmp']
    equal(await buildah('run', ...RUNTIME, ...options, id, '--', 'sh', '-c', 'echo $ONE $(id -u) $PWD'), '1 1000 /tmp')
    await buildah('run', ...RUNTIME, id, '--', 'sh', '-c', 'echo kept >/file')
    equal(await buildah('run', ...RUNTIME, id, '--', 'cat', '/file'), 'kept')
  })
})

row('run: the exit status, and errors', async () => {
  await withContainer(async (id) => {
    equal((await attempt(['buildah', 'run', ...RUNTIME, id, '--', 'sh', '-c', 'exit 9'])).status, 9)
    match((await attempt(['buildah', 'run', ...RUNTIME, id, '--', '/no/such'])).stderr, /no such file or directory/)
  })
})

row('run --volume, --mount, --cap-drop', async () => {
  mkdirSync('/tmp/volume', { recursive: true })
  writeFileSync('/tmp/volume/file', 'host')
  await withContainer(async (id) => {
    const options = ['--volume', '/tmp/volume:/v:ro', '--cap-drop', 'CAP_CHOWN', '--mount', 'type=tmpfs,destination=/t']
    const text = 'cat /v/file; touch /v/x 2>/dev/null || echo -ro; chown 1 /t 2>/dev/null || echo nochown'
    equal(await buildah('run', ...RUNTIME, ...options, id, '--', 'sh', '-c', text), 'host-ro\nnochown')
  })
})

row('run --tty: a terminal', async () => {
  await withContainer(async (id) => {
    match(await runOnTerminal(['buildah', 'run', ...RUNTIME, '--tty', id, '--', 'tty']), /\/dev\/(pts\/0|console)/)
  })
})

row('bud: RUN, ARG, USER, several stages', async () => {
  const file = [
    ...[`FROM ${IMAGE} AS one`, 'ARG WORD', 'RUN echo $WORD >/built && id -u >>/built'],
    ...[`FROM ${IMAGE}`, 'COPY --from=one /built /built', 'USER alice', 'RUN id -u >/tmp/user', ''],
  ]
  mkdirSync('/tmp/context', { recursive: true })
  writeFileSync('/tmp/context/Dockerfile', file.join('\n'))
  const options = ['--build-arg', 'WORD=word', '--pull-never', '--tag', 'built']
  await buildah('bud', ...RUNTIME, ...options, '/tmp/context')
  const id = await buildah('from', '--pull-never', 'built')
  equal(await buildah('run', ...RUNTIME, id, '--', 'cat', '/built', '/tmp/user'), 'word\n0\n1000')
  await buildah('rm', id)
})

row('nothing is left: containers', async () => {
  equal(await buildah('containers', '--quiet'), '')
})

export const engine: Engine = { name: 'buildah', begin, rows }
