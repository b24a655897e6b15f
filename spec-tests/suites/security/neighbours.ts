import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addBusybox, type Bundle, bundle, type Config, scratch } from '../../lib'

/** A running container whose program is a shell script: what a tenant can do. */
export interface Attacker {
  readonly bundle: Bundle
  /** Its PID namespace, for a neighbour to join: config-linux.md "Namespaces". */
  readonly pidNamespace: string
  /** Makes a file in the directory that the attacker sees as /v. */
  readonly tell: (name: string, content: string) => void
}

export const startAttacker = async (
  script: string,
  change: (config: Config) => void = () => undefined,
): Promise<Attacker> => {
  const volume = scratch('attacker')
  mkdirSync(volume)
  const b = await bundle((c, b) => {
    addBusybox(b.rootfs)
    c.process.args = ['/bin/busybox', 'sh', '-c', script]
    c.mounts.push({ destination: '/v', type: 'bind', source: volume, options: ['bind'] })
    change(c)
  })
  await b.create()
  await b.start()
  const { pid } = await b.state()
  return {
    bundle: b,
    pidNamespace: `/proc/${pid}/ns/pid`,
    tell: (name, content) => writeFileSync(join(volume, name), content),
  }
}

/** Makes the container join a PID namespace instead of having one of its own. */
export const joinPid = (config: Config, path: string): void => {
  config.linux.namespaces = config.linux.namespaces.map((entry) =>
    entry.type === 'pid' ? { type: 'pid', path } : entry,
  )
}

/** A process's number in the innermost PID namespace that it is in. */
export const innerPid = (pid: number): number =>
  Number(/^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
