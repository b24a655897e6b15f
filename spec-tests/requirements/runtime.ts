import { rulesOf } from './requirement'

/** The state, the lifecycle and the operations. */
export const RUNTIME = [
  ...rulesOf('runtime.md#state', [
    [
      'OP-1a',
      'MUST',
      'The state has ociVersion, id, status, pid (created, running), bundle (absolute) and annotations.',
    ],
    ['OP-1b', 'MUST', 'status is creating, created, running or stopped as the container is.'],
  ]),
  ...rulesOf('runtime.md#query-state', [
    ['OP-1c', 'MUST', 'state prints the state.'],
    ['OP-1d', 'ERROR', 'state without the ID, or of a container that does not exist.'],
  ]),
  ...rulesOf('runtime.md#create', [
    ['OP-2a', 'MUST', 'create applies everything but process.args, and does not run the program.'],
    ['OP-2b', 'ERROR', 'create without the ID or the bundle.'],
    ['OP-2c', 'ERROR', 'The ID is not unique or not valid: no container is made, the other one stays as it was.'],
    ['OP-2d', 'ERROR', 'A property cannot be applied: no container remains.'],
    ['GEN-9', 'MUST', 'What happens to config.json after create has no effect on the container.'],
  ]),
  ...rulesOf('runtime.md#start', [
    ['OP-3a', 'MUST', 'start runs the program.'],
    ['OP-3b', 'ERROR', 'start without the ID, or of a container that does not exist.'],
    ['OP-3c', 'ERROR', 'start of a container that is not created: nothing happens to it.'],
  ]),
  ...rulesOf('runtime.md#kill', [
    ['OP-4a', 'MUST', 'kill sends the signal to the process of the container.'],
    ['OP-4b', 'ERROR', 'kill without the ID, or of a container that does not exist.'],
    ['OP-4c', 'ERROR', 'kill of a container that is neither created nor running: nothing happens to it.'],
    ['OP-4d', 'CALLERS', 'Signals have names with and without SIG, and numbers; --all reaches each process.'],
  ]),
  ...rulesOf('runtime.md#delete', [
    ['OP-5a', 'MUST', 'delete undoes what create did, and the ID may be used again.'],
    ['OP-5b', 'MUST', 'What create did not make stays: namespaces that were joined, cgroups that existed.'],
    ['OP-5c', 'ERROR', 'delete without the ID, or of a container that does not exist.'],
    ['OP-5d', 'ERROR', 'delete of a container that runs: nothing happens to it.'],
    [
      'OP-5e',
      'CALLERS',
      'delete --force ends a container that runs, and takes an unknown ID; delete takes one that is created.',
    ],
  ]),
  ...rulesOf('runtime.md#lifecycle', [['OP-6', 'MUST', 'The steps of the lifecycle come in their order.']]),
  ...rulesOf('runtime.md#errors', [
    ['GEN-3', 'MUST', 'An operation that fails leaves everything as if it had never been tried.'],
  ]),
  ...rulesOf('runtime.md#warnings', [['GEN-4', 'MUST', 'A warning does not change what an operation does.']]),
]
