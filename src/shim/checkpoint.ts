/** Checkpoint: containerd's options as tsrunc's words. */
import { join } from 'node:path'
import { type Any, CheckpointOptions } from './messages'
import type { Runtime } from './runtime'
import type { Task } from './task'
import { decode } from './wire'

export async function checkpoint(runtime: Runtime, task: Task, path: string, any: Any | undefined): Promise<void> {
  const options = decode(CheckpointOptions, any?.value ?? new Uint8Array())
  const { record } = task
  const images = path || options.image_path || record.options.criuImagePath || join(record.bundle, 'checkpoint')
  const work = options.work_path || record.options.criuWorkPath || join(record.bundle, 'work')
  await runtime.verb(record, 'checkpoint', [
    ...['--image-path', images, '--work-path', work],
    ...(options.exit ? [] : ['--leave-running']),
    ...(options.open_tcp ? ['--tcp-established'] : []),
    ...(options.external_unix_sockets ? ['--ext-unix-sk'] : []),
    ...(options.terminal ? ['--shell-job'] : []),
    ...(options.file_locks ? ['--file-locks'] : []),
    ...options.empty_namespaces.flatMap((name) => ['--empty-ns', name]),
    ...(options.cgroups_mode === '' ? [] : ['--manage-cgroups-mode', options.cgroups_mode]),
    record.id,
  ])
  task.publish('/tasks/checkpointed', { checkpoint: images })
}
