import { rulesOf } from './requirement'

/** `hooks` of config.json. */
export const HOOKS = [
  ...rulesOf('config.md#posix-platform-hooks', [
    [
      'HK-1a',
      'MUST',
      'prestart: during create, namespaces made, root not yet entered, in the runtime namespace, before createRuntime.',
    ],
    ['HK-1b', 'ERROR', 'prestart fails: the container is stopped and destroyed.'],
    ['HK-2a', 'MUST', 'createRuntime: during create, after prestart, at the same point, in the runtime namespace.'],
    ['HK-2b', 'ERROR', 'createRuntime fails: the container is stopped and destroyed.'],
    ['HK-3a', 'MUST', 'createContainer: during create, after createRuntime, mounts made, root not yet entered.'],
    ['HK-3b', 'MUST', 'createContainer: path is one of the runtime namespace, it runs in the container namespace.'],
    ['HK-3c', 'ERROR', 'createContainer fails: the container is stopped and destroyed.'],
    ['HK-4a', 'MUST', 'startContainer: during start, before the program is executed.'],
    ['HK-4b', 'MUST', 'startContainer: path is one of the container namespace, and it runs there.'],
    ['HK-4c', 'ERROR', 'startContainer fails: the container is stopped and destroyed.'],
    ['HK-5a', 'MUST', 'poststart: after the program was executed and before start returns, in the runtime namespace.'],
    ['HK-5b', 'ERROR', 'poststart fails (since 1.3.0): the container is stopped and destroyed.'],
    [
      'HK-6a',
      'MUST',
      'poststop: after the container is destroyed and before delete returns, in the runtime namespace.',
    ],
    ['HK-6b', 'MUST', 'poststop fails: a warning, and the remaining hooks run.'],
    ['HK-7a', 'MUST', 'Hooks run in the listed order.'],
    ['HK-7b', 'MUST', 'A hook gets the state of the container on its standard input.'],
    ['HK-7c', 'MUST', 'args and env of a hook are those that are listed.'],
    ['HK-7d', 'ERROR', 'path is absent or not absolute, or cannot be executed.'],
    ['HK-7e', 'ERROR', 'timeout is no number of seconds above zero; a hook that exceeds it is ended, and has failed.'],
    [
      'HK-7f',
      'CALLERS',
      'A hook need not read the state; it has neither descriptors nor standard streams of the container.',
    ],
  ]),
]
