// What the tests of `features` have in common: the document, and what it takes for an entry of it to be proven.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { callRuntime, deepEqual, expectStatus, ok } from '../../lib'
import { REPOSITORY } from '../../lib/config'

interface Enabled {
  readonly enabled?: boolean
}

/** features.md and features-linux.md; null and absent say nothing. */
export interface Features {
  readonly ociVersionMin: string
  readonly ociVersionMax: string
  readonly hooks: readonly string[]
  readonly mountOptions: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[]
  readonly linux: {
    readonly namespaces: readonly string[]
    readonly capabilities: readonly string[]
    readonly cgroup: Readonly<Partial<Record<'v1' | 'v2' | 'systemd' | 'systemdUser' | 'rdma', boolean>>>
    readonly seccomp: Enabled &
      Readonly<Record<'actions' | 'operators' | 'archs', readonly string[]>> &
      Readonly<Partial<Record<'knownFlags' | 'supportedFlags', readonly string[]>>>
    readonly apparmor?: Enabled
    readonly selinux?: Enabled
    readonly intelRdt?: Enabled & { readonly schemata?: boolean; readonly monitoring?: boolean }
    readonly mountExtensions?: { readonly idmap?: Enabled }
    readonly memoryPolicy?: { readonly modes?: readonly string[]; readonly flags?: readonly string[] }
    readonly netDevices?: Enabled
  }
}

export const features = async (): Promise<Features> =>
  JSON.parse(expectStatus(await callRuntime(['features'])).stdout) as Features

/** Why a test of this folder cannot be run on another runtime. */
export const NO_FEATURES = { crun: '1.8 has no features' } as const

/** A test of another suite that proves an entry, by a piece of its title. */
export interface ProvenElsewhere {
  /** Beneath suites/. */
  readonly file: string
  readonly title: string
}

/**
 * That every entry of a list is proven by something: a row of a table, or a test of another suite, which is still there.
 *
 * @throws AssertionError that names the entries without a proof
 */
export const allProven = (
  listed: readonly string[],
  here: readonly string[],
  elsewhere: Readonly<Record<string, ProvenElsewhere>> = {},
): void => {
  const unproven = listed.filter((entry) => !here.includes(entry) && elsewhere[entry] === undefined)
  deepEqual(unproven, [], 'entries of features that no test proves')
  for (const [entry, { file, title }] of Object.entries(elsewhere)) {
    const text = readFileSync(join(REPOSITORY, 'spec-tests/suites', file), 'utf8')
    ok(text.includes(title), `${entry}: ${file} has no test with "${title}" in its title`)
  }
}
