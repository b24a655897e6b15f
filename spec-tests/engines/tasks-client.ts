import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { parse, type Type } from 'protobufjs'

/** What the rows use of containerd's task service and ctr has no command for: names, numbers and types are the service's. */
const INTERFACE = `
syntax = "proto3";
message Empty {}
message Any { string type_url = 1; bytes value = 2; }
message Mount { string type = 1; string source = 2; string target = 3; repeated string options = 4; }
message CreateTaskRequest {
  string container_id = 1; repeated Mount rootfs = 3; string stdin = 4; string stdout = 5; string stderr = 6; bool terminal = 7;
  Any options = 9;
}
message CreateTaskResponse { string container_id = 1; uint32 pid = 2; }
message StartRequest { string container_id = 1; string exec_id = 2; }
message UpdateTaskRequest { string container_id = 1; Any resources = 2; }
message CloseIORequest { string container_id = 1; string exec_id = 2; bool stdin = 3; }
message MetricsRequest { repeated string filters = 1; }
message Metric { string id = 2; Any data = 3; }
message MetricsResponse { repeated Metric metrics = 1; }
message SnapshotRequest { string snapshotter = 1; string key = 2; }
message MountsResponse { repeated Mount mounts = 1; }
message CheckpointTaskRequest { string container_id = 1; Any options = 3; }
message CheckpointOptions { bool exit = 1; }
message BootstrapParams {
  string instance_id = 1; string namespace = 2; string containerd_version = 4; string containerd_ttrpc_address = 5;
  string containerd_grpc_address = 6; string containerd_binary = 7;
}
message BootstrapResult { int32 version = 1; string address = 2; string protocol = 3; }
message Options { bool systemd_cgroup = 9; }
`

const { root } = parse(INTERFACE, { keepCase: true })
const SOCKET = 'unix:///run/containerd/containerd.sock'
const MILLISECONDS = 60_000

type Message = Readonly<Record<string, unknown>>

const call = (path: string, request: Type, response: Type, message: Message): Promise<Message> => {
  // Of its own: containerd is killed by some rows.
  const client = new Client(SOCKET, credentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('containerd-namespace', 'default')
  return new Promise<Message>((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      (value: Message) => Buffer.from(request.encode(request.fromObject(value)).finish()),
      (bytes: Buffer) => response.toObject(response.decode(bytes), { longs: Number, defaults: true }) as Message,
      message,
      metadata,
      { deadline: Date.now() + MILLISECONDS },
      (error, value) => (error === null && value !== undefined ? resolve(value) : reject(error)),
    )
  }).finally(() => client.close())
}

const method =
  <Answer>(name: string, request: string, response: string, service = 'tasks.v1.Tasks') =>
  async (message: Message): Promise<Answer> =>
    (await call(
      `/containerd.services.${service}/${name}`,
      root.lookupType(request),
      root.lookupType(response),
      message,
    )) as Answer

/** The bytes of runc's options. */
export const runcOptions = (options: Message): Message => ({
  type_url: 'containerd.runc.v1.Options',
  value: root.lookupType('Options').encode(options).finish(),
})

/** The bytes of runc's options for checkpoints. */
export const checkpointOptions = (options: Message): Message => ({
  type_url: 'containerd.runc.v1.CheckpointOptions',
  value: root.lookupType('CheckpointOptions').encode(options).finish(),
})

/** What containerd 2.3 writes to a shim that starts, and what it reads from it. */
export const bootstrap = {
  params: (message: Message): Uint8Array => root.lookupType('BootstrapParams').encode(message).finish(),
  result: (bytes: Uint8Array): Message => root.lookupType('BootstrapResult').decode(bytes).toJSON(),
}

/** The calls, by the service's names. Each fails with what containerd says. */
export const tasks = {
  create: method('Create', 'CreateTaskRequest', 'CreateTaskResponse'),
  start: method('Start', 'StartRequest', 'CreateTaskResponse'),
  checkpoint: method('Checkpoint', 'CheckpointTaskRequest', 'Empty'),
  update: method('Update', 'UpdateTaskRequest', 'Empty'),
  closeIO: method('CloseIO', 'CloseIORequest', 'Empty'),
  metrics: method<{ metrics: readonly { id: string; data: { type_url: string } | null }[] }>(
    'Metrics',
    'MetricsRequest',
    'MetricsResponse',
  ),
  mounts: method<{ mounts: readonly Message[] }>(
    'Mounts',
    'SnapshotRequest',
    'MountsResponse',
    'snapshots.v1.Snapshots',
  ),
}
