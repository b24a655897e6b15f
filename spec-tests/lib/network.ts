import { execFileSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { launch } from './sandbox'
import { eventually } from './spawn'

/** A line of `ip -json address`. */
export interface NetworkLink {
  readonly ifindex: number
  readonly ifname: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly address: string
  readonly ifalias?: string
  readonly master?: string
  readonly addr_info: readonly {
    readonly family: 'inet' | 'inet6'
    readonly local: string
    /** Peer. */
    readonly address?: string
    readonly prefixlen: number
    readonly scope: string
    readonly label?: string
    readonly metric?: number
    readonly broadcast?: string
    readonly noprefixroute?: boolean
    readonly dynamic?: boolean
    readonly preferred_life_time: number
  }[]
}

/** A network namespace that a test makes; it ends with the process that holds it. */
export class NetworkNamespace {
  readonly pid: number
  /** Its file. */
  readonly path: string
  /** For SpawnOptions.within: runs a program in it. */
  readonly within: readonly string[]

  constructor(pid: number) {
    this.pid = pid
    this.path = `/proc/${pid}/ns/net`
    this.within = ['nsenter', `--net=${this.path}`]
  }

  /** Runs a program in it. @throws Error when it ends with another status than 0 */
  run(...command: readonly string[]): string {
    const [program = '', ...words] = [...this.within, ...command]
    return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** `ip WORD...` in the namespace; what it prints. */
  ip(...words: readonly string[]): string {
    return this.run('ip', ...words)
  }

  links(): NetworkLink[] {
    return JSON.parse(this.ip('-details', '-json', 'address')) as NetworkLink[]
  }

  link(name: string): NetworkLink | undefined {
    return this.links().find(({ ifname }) => ifname === name)
  }
}

/**
 * One that is gone with the test. Not by `ip netns`, whose mount everybody's mount namespaces on this machine would have
 * a copy of.
 */
export const networkNamespace = async (): Promise<NetworkNamespace> => {
  const pid = await launch(['unshare', '--net', 'sleep', '1000']).pid
  const own = readlinkSync('/proc/self/ns/net')
  await eventually('a network namespace', () => readlinkSync(`/proc/${pid}/ns/net`) !== own || undefined)
  return new NetworkNamespace(pid)
}

/** Links of the network namespace of a process. */
export const linksOf = (pid: number): NetworkLink[] =>
  JSON.parse(
    execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', '-details', '-json', 'address'], { encoding: 'utf8' }),
  ) as NetworkLink[]
