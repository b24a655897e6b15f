import { rulesOf } from './requirement'

/** `linux.seccomp` of config.json. */
export const SECCOMP = [
  ...rulesOf('config-linux.md#seccomp', [
    ['SEC-1a', 'MUST', 'defaultAction holds for the calls that no rule names.'],
    ['SEC-1b', 'MUST', 'Each action: KILL, KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, TRACE, ALLOW, LOG.'],
    ['SEC-1c', 'ERROR', 'An action is absent or unknown.'],
    ['SEC-2a', 'MUST', 'defaultErrnoRet and errnoRet are what the call returns, EPERM without them.'],
    ['SEC-2b', 'ERROR', 'An errno with an action that takes none.'],
    ['SEC-3a', 'MUST', 'architectures: the filter holds for their calls too.'],
    ['SEC-3b', 'ERROR', 'An architecture is unknown.'],
    ['SEC-4a', 'MUST', 'flags of the filter.'],
    ['SEC-4b', 'ERROR', 'A flag is unknown.'],
    ['SEC-5a', 'MUST', 'Rules match by name and by arguments: NE, LT, LE, EQ, GE, GT, MASKED_EQ; 64 bits exact.'],
    ['SEC-5b', 'CALLERS', 'Names that nobody knows are passed over.'],
    ['SEC-5c', 'ERROR', 'A rule lacks names, or a condition is not valid.'],
    [
      'SEC-6a',
      'MUST',
      'NOTIFY: the listener gets the descriptor of the filter over listenerPath, in one message a connection.',
    ],
    ['SEC-6b', 'MUST', 'listenerMetadata is part of the message.'],
    ['SEC-6c', 'ERROR', 'The message cannot be sent.'],
    ['SEC-6d', 'MUST', 'listenerPath is ignored where no rule has NOTIFY.'],
    ['SEC-6e', 'ERROR', 'listenerMetadata without listenerPath.'],
    ['SEC-7', 'MUST', 'The message is the container process state: ociVersion, fds, pid, metadata, state.'],
    ['SEC-8', 'CALLERS', 'NOTIFY is refused as defaultAction, for write, and without listenerPath.'],
    ['SEC-9', 'CALLERS', 'Calls that are newer than the profile fail with ENOSYS, so that programs fall back.'],
    ['SEC-10', 'CALLERS', 'The filter need not allow what the runtime itself calls.'],
  ]),
]
