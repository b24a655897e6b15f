import { expect, test } from 'vitest'
import { CAPABILITIES } from '../tables/capabilities'
import { MOUNT_OPTIONS } from '../tables/mount-options'
import { NAMESPACES } from '../tables/namespaces'
import { RLIMITS } from '../tables/rlimits'
import { SECCOMP_ACTIONS, SECCOMP_ARCHITECTURES, SECCOMP_OPERATORS } from '../tables/seccomp'
import { didYouMean, nearest } from './nearest'

const TABLES = {
  namespaces: Object.keys(NAMESPACES),
  capabilities: Object.keys(CAPABILITIES),
  rlimits: Object.keys(RLIMITS),
  actions: Object.keys(SECCOMP_ACTIONS),
  operators: Object.keys(SECCOMP_OPERATORS),
  architectures: SECCOMP_ARCHITECTURES,
  options: Object.keys(MOUNT_OPTIONS),
} as const

test.each([
  ['namespaces', 'net', 'network'],
  ['namespaces', 'mnt', 'mount'],
  ['namespaces', 'USER', 'user'],
  ['namespaces', 'pids', 'pid'],
  ['namespaces', 'cgroups', 'cgroup'],
  ['namespaces', 'network_namespace', undefined],
  ['namespaces', '', undefined],
  ['namespaces', 'xy', undefined],
  ['capabilities', 'NET_ADMIN', 'CAP_NET_ADMIN'],
  ['capabilities', 'cap_net_admin', 'CAP_NET_ADMIN'],
  ['capabilities', 'CAP_NETADMIN', 'CAP_NET_ADMIN'],
  ['capabilities', 'CAP_SYSADMIN', 'CAP_SYS_ADMIN'],
  ['capabilities', 'CAP_SYS_ADMIM', 'CAP_SYS_ADMIN'],
  ['capabilities', 'CAP_FLY', undefined],
  ['capabilities', 'ALL', undefined],
  ['rlimits', 'nofile', 'RLIMIT_NOFILE'],
  ['rlimits', 'NOFILES', 'RLIMIT_NOFILE'],
  ['rlimits', 'RLIMIT_NROC', 'RLIMIT_NPROC'],
  ['actions', 'ALLOW', 'SCMP_ACT_ALLOW'],
  ['actions', 'SCMP_ACT_ERRON', 'SCMP_ACT_ERRNO'],
  ['actions', 'SCMP_ACT_FOO', undefined],
  ['operators', 'eq', 'SCMP_CMP_EQ'],
  ['architectures', 'x86_64', 'SCMP_ARCH_X86_64'],
  ['architectures', 'SCMP_ARCH_AMD64', undefined],
  ['options', 'no-suid', 'nosuid'],
  ['options', 'nosiud', 'nosuid'],
  ['options', 'noexce', 'noexec'],
  ['options', 'size=5', undefined],
] as const)('%s: %s', (table, written, word) => {
  expect(nearest(written, TABLES[table])).toBe(word)
})

test('each word is nearest to itself', () => {
  for (const words of Object.values(TABLES)) {
    for (const word of words) expect(nearest(word, words)).toBe(word)
  }
})

test('what is no word has no neighbour', () => {
  for (const written of [5, null, [], 'x'.repeat(1_000_000)]) expect(nearest(written, ['five'])).toBeUndefined()
  expect(didYouMean('fife', ['five'])).toBe('did you mean "five"?')
})
