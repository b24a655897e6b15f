/** What containerd and a shim say to each other: names and numbers are those of containerd's api/. Only what is needed here. */
import { bool, bytes, int32, int64, type Message, message, messages, string, strings, type Table, uint32 } from './wire'

export const Empty = {} satisfies Table

export const Any = { type_url: string(1), value: bytes(2) }
export type Any = Message<typeof Any>

export const Timestamp = { seconds: int64(1), nanos: int32(2) }
export type Timestamp = Message<typeof Timestamp>

export const Mount = { type: string(1), source: string(2), target: string(3), options: strings(4) }
export type Mount = Message<typeof Mount>

/** containerd.v1.types.Status */
export const STATUS = { unknown: 0, created: 1, running: 2, stopped: 3, paused: 4, pausing: 5 } as const

// ---- containerd.task.v2 and containerd.task.v3, which are the same -----------------------------------------------------

const process = { id: string(1), exec_id: string(2) }
export const ProcessRequest = process
export const ContainerRequest = { id: string(1) }

export const CreateTaskRequest = {
  id: string(1),
  bundle: string(2),
  rootfs: messages(3, Mount),
  terminal: bool(4),
  stdin: string(5),
  stdout: string(6),
  stderr: string(7),
  checkpoint: string(8),
  parent_checkpoint: string(9),
  options: message(10, Any),
}
export type CreateTaskRequest = Message<typeof CreateTaskRequest>

export const PidResponse = { pid: uint32(1) }

export const DeleteResponse = { pid: uint32(1), exit_status: uint32(2), exited_at: message(3, Timestamp) }

export const ExecProcessRequest = {
  ...process,
  terminal: bool(3),
  stdin: string(4),
  stdout: string(5),
  stderr: string(6),
  spec: message(7, Any),
}

export const ResizePtyRequest = { ...process, width: uint32(3), height: uint32(4) }

export const StateResponse = {
  id: string(1),
  bundle: string(2),
  pid: uint32(3),
  status: uint32(4),
  stdin: string(5),
  stdout: string(6),
  stderr: string(7),
  terminal: bool(8),
  exit_status: uint32(9),
  exited_at: message(10, Timestamp),
  exec_id: string(11),
}

export const KillRequest = { ...process, signal: uint32(3), all: bool(4) }
export const CloseIORequest = { ...process, stdin: bool(3) }

export const ProcessInfo = { pid: uint32(1), info: message(2, Any) }
export const PidsResponse = { processes: messages(1, ProcessInfo) }

export const CheckpointTaskRequest = { id: string(1), path: string(2), options: message(3, Any) }
export const UpdateTaskRequest = { id: string(1), resources: message(2, Any) }
export const WaitResponse = { exit_status: uint32(1), exited_at: message(2, Timestamp) }
export const StatsResponse = { stats: message(1, Any) }
export const ConnectResponse = { shim_pid: uint32(1), task_pid: uint32(2), version: string(3) }
export const ShutdownRequest = { id: string(1), now: bool(2) }

// ---- options -----------------------------------------------------------------------------------------------------------

/** containerd.runc.v1 */
export const RuncOptions = {
  no_pivot_root: bool(1),
  no_new_keyring: bool(2),
  shim_cgroup: string(3),
  binary_name: string(6),
  root: string(7),
  systemd_cgroup: bool(9),
  criu_image_path: string(10),
  criu_work_path: string(11),
  task_api_address: string(12),
}
export type RuncOptions = Message<typeof RuncOptions>

export const CheckpointOptions = {
  exit: bool(1),
  open_tcp: bool(2),
  external_unix_sockets: bool(3),
  terminal: bool(4),
  file_locks: bool(5),
  empty_namespaces: strings(6),
  cgroups_mode: string(7),
  image_path: string(8),
  work_path: string(9),
}

export const ProcessDetails = { exec_id: string(1) }

/** runtimeoptions.v1, in which the CRI and Docker wrap what they cannot know. */
export const RuntimeOptions = { type_url: string(1), config_path: string(2), config_body: bytes(3) }

// ---- events ------------------------------------------------------------------------------------------------------------

const TaskIO = { stdin: string(1), stdout: string(2), stderr: string(3), terminal: bool(4) }

/** containerd.events, by topic. */
export const EVENTS = {
  '/tasks/create': {
    type: 'containerd.events.TaskCreate',
    table: {
      container_id: string(1),
      bundle: string(2),
      rootfs: messages(3, Mount),
      io: message(4, TaskIO),
      checkpoint: string(5),
      pid: uint32(6),
    },
  },
  '/tasks/start': { type: 'containerd.events.TaskStart', table: { container_id: string(1), pid: uint32(2) } },
  '/tasks/delete': {
    type: 'containerd.events.TaskDelete',
    table: {
      container_id: string(1),
      pid: uint32(2),
      exit_status: uint32(3),
      exited_at: message(4, Timestamp),
      id: string(5),
    },
  },
  '/tasks/exit': {
    type: 'containerd.events.TaskExit',
    table: {
      container_id: string(1),
      id: string(2),
      pid: uint32(3),
      exit_status: uint32(4),
      exited_at: message(5, Timestamp),
    },
  },
  '/tasks/oom': { type: 'containerd.events.TaskOOM', table: { container_id: string(1) } },
  '/tasks/exec-added': {
    type: 'containerd.events.TaskExecAdded',
    table: { container_id: string(1), exec_id: string(2) },
  },
  '/tasks/exec-started': {
    type: 'containerd.events.TaskExecStarted',
    table: { container_id: string(1), exec_id: string(2), pid: uint32(3) },
  },
  '/tasks/paused': { type: 'containerd.events.TaskPaused', table: { container_id: string(1) } },
  '/tasks/resumed': { type: 'containerd.events.TaskResumed', table: { container_id: string(1) } },
  '/tasks/checkpointed': {
    type: 'containerd.events.TaskCheckpointed',
    table: { container_id: string(1), checkpoint: string(2) },
  },
} as const
export type Topic = keyof typeof EVENTS

const Envelope = { timestamp: message(1, Timestamp), namespace: string(2), topic: string(3), event: message(4, Any) }
export const ForwardRequest = { envelope: message(1, Envelope) }

// ---- -info -------------------------------------------------------------------------------------------------------------

/** containerd.types.RuntimeInfo, what `-info` prints. */
export const RuntimeInfo = {
  name: string(1),
  version: message(2, { version: string(1), revision: string(2) }),
  options: message(3, Any),
  features: message(4, Any),
}
