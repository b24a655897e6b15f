import { bundle, type TestOptions, test } from '../../lib'

for (const version of ['1.0.0', '1.0.0-rc5', '1.0.2-dev', '1.1.0', '1.2.1', '1.3.0', '1.99.0']) {
  const peers: TestOptions = /^1\.(2|3|99)/.test(version) ? { peers: { crun: 'knows 1.0 and 1.1' } } : {}
  test(
    `config.md#specification-version [GEN-10a]: a configuration of ${version} is taken, 1.x being compatible`,
    peers,
    async () => {
      const b = await bundle((c) => {
        c.ociVersion = version
      })
      await b.report()
    },
  )
}

test('config.md#annotations [GEN-1]: implementations that read unknown keys MUST NOT generate an error', async () => {
  const b = await bundle((c) => {
    c.annotations = { 'org.opencontainers.image.os': 'plan9', 'com.example': 'x', 'run.oci.unknown': 'x' }
  })
  await b.report()
})
