import { SECCOMP_ACTIONS, SECCOMP_ARCHITECTURES, SECCOMP_FLAGS, SECCOMP_OPERATORS } from '../../tables/seccomp'
import { form, listOf, object, ref, type Schemas, STRING, STRINGS, words } from './schema'

const ACTION = words(Object.keys(SECCOMP_ACTIONS))

/** config-linux.md "Seccomp". */
export const SECCOMP: Schemas = {
  seccomp: object(
    {
      defaultAction: ACTION,
      defaultErrnoRet: form('seccompReturn'),
      architectures: listOf(words(SECCOMP_ARCHITECTURES)),
      flags: listOf(words(Object.keys(SECCOMP_FLAGS))),
      listenerPath: STRING,
      listenerMetadata: STRING,
      syscalls: listOf(ref('seccompSyscall')),
    },
    'defaultAction',
  ),
  seccompSyscall: object(
    {
      names: { ...STRINGS, minItems: 1 },
      action: ACTION,
      errnoRet: form('seccompReturn'),
      args: listOf(ref('seccompArgument')),
    },
    'names',
    'action',
  ),
  seccompArgument: object(
    {
      index: form('syscallArgument'),
      value: form('uint64'),
      valueTwo: form('uint64'),
      op: words(Object.keys(SECCOMP_OPERATORS)),
    },
    'index',
    'value',
    'op',
  ),
}
