/** `-info`: what containerd asks of a shim for its clients, with the features as the OCI specification has them. */
import { readFileSync, writeSync } from 'node:fs'
import { EXECUTABLE } from '../native/binding'
import { COMMIT, VERSION } from '../version'
import { lastLine, run } from './command'
import { Any, RuntimeInfo } from './messages'
import { decode, encode } from './wire'

const FEATURES = 'types.containerd.io/opencontainers/runtime-spec/1/features/Features'
const [STDIN, STDOUT] = [0, 1]

export async function printInfo(): Promise<void> {
  const input = readFileSync(STDIN)
  const { status, stdout, stderr } = await run(EXECUTABLE, ['features'], { what: 'features' })
  if (status !== 0) throw new Error(lastLine(stderr))
  const info = {
    name: 'io.containerd.tsrunc.v2',
    version: { version: VERSION, revision: COMMIT },
    options: input.length === 0 ? undefined : decode(Any, input),
    features: { type_url: FEATURES, value: Buffer.from(stdout) },
  }
  writeSync(STDOUT, encode(RuntimeInfo, info))
}
