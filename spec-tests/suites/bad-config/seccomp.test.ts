// config-linux.md "Seccomp".
import { digits } from '../../lib'
import { ABSENT, refuses } from './rows'

const ALLOW = { '/linux/seccomp': { defaultAction: 'SCMP_ACT_ALLOW' } }
const RULE = {
  '/linux/seccomp': {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['personality'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }],
  },
}
const syscall = '/linux/seccomp/syscalls/0'
const arg = `${syscall}/args/0`

refuses('config-linux.md#seccomp', [
  ['/linux/seccomp', 'unconfined'],
  ['/linux/seccomp/defaultAction', ABSENT, ALLOW],
  ['/linux/seccomp/defaultAction', 'SCMP_ACT_NO_SUCH', ALLOW],
  ['/linux/seccomp/defaultAction', 'allow', ALLOW],
  ['/linux/seccomp/defaultAction', 5, ALLOW],
  ['/linux/seccomp/defaultAction', 'SCMP_ACT_NOTIFY', ALLOW],
  ['/linux/seccomp/defaultErrnoRet', 1, ALLOW],
  ['/linux/seccomp/defaultErrnoRet', -1, { '/linux/seccomp': { defaultAction: 'SCMP_ACT_ERRNO' } }],
  ['/linux/seccomp/defaultErrnoRet', 'EPERM', { '/linux/seccomp': { defaultAction: 'SCMP_ACT_ERRNO' } }],
  ['/linux/seccomp/architectures', 'SCMP_ARCH_X86_64', ALLOW],
  ['/linux/seccomp/architectures/0', 'SCMP_ARCH_NO_SUCH', ALLOW],
  ['/linux/seccomp/architectures/0', 'x86_64', ALLOW],
  ['/linux/seccomp/flags', 'SECCOMP_FILTER_FLAG_LOG', ALLOW],
  ['/linux/seccomp/flags/0', 'SECCOMP_FILTER_FLAG_NO_SUCH', ALLOW],
  ['/linux/seccomp/listenerPath', 5, ALLOW],
  ['/linux/seccomp/listenerMetadata', 'metadata', ALLOW],
  ['/linux/seccomp/syscalls', {}, ALLOW],
  [syscall, 'personality', RULE],
  [`${syscall}/names`, ABSENT, RULE],
  [`${syscall}/names`, [], RULE],
  [`${syscall}/names`, 'personality', RULE],
  [`${syscall}/names/0`, 135, RULE],
  [`${syscall}/action`, ABSENT, RULE],
  [`${syscall}/action`, 'SCMP_ACT_NO_SUCH', RULE],
  [`${syscall}/action`, 'SCMP_ACT_NOTIFY', RULE],
  [`${syscall}/errnoRet`, -1, RULE],
  [`${syscall}/errnoRet`, 'EPERM', RULE],
  [`${syscall}/errnoRet`, 1, { ...RULE, [`${syscall}/action`]: 'SCMP_ACT_KILL' }],
  [`${syscall}/args`, {}, RULE],
  [`${arg}/index`, ABSENT, RULE],
  [`${arg}/index`, 6, RULE],
  [`${arg}/index`, -1, RULE],
  [`${arg}/index`, '0', RULE],
  [`${arg}/value`, ABSENT, RULE],
  [`${arg}/value`, -1, RULE],
  [`${arg}/value`, 0.5, RULE],
  [`${arg}/value`, digits('18446744073709551616'), RULE],
  [`${arg}/valueTwo`, '1', RULE],
  [`${arg}/op`, ABSENT, RULE],
  [`${arg}/op`, 'SCMP_CMP_NO_SUCH', RULE],
  [`${arg}/op`, '==', RULE],
])
