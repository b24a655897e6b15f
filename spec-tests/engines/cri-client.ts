import { Client, credentials } from '@grpc/grpc-js'
import { parse, type Type } from 'protobufjs'

/** What the rows use of the Kubernetes container runtime interface, version 1: names, numbers and types are the interface's. */
const INTERFACE = `
syntax = "proto3";
message Empty {}
message Int64Value { int64 value = 1; }
message UInt64Value { uint64 value = 1; }

message IDMapping { uint32 host_id = 1; uint32 container_id = 2; uint32 length = 3; }
enum NamespaceMode { POD = 0; CONTAINER = 1; NODE = 2; TARGET = 3; }
message UserNamespace { NamespaceMode mode = 1; repeated IDMapping uids = 2; repeated IDMapping gids = 3; }
message NamespaceOption {
  NamespaceMode network = 1; NamespaceMode pid = 2; NamespaceMode ipc = 3; UserNamespace userns_options = 5;
}
enum ProfileType { RuntimeDefault = 0; Unconfined = 1; Localhost = 2; }
message SecurityProfile { ProfileType profile_type = 1; string localhost_ref = 2; }

message LinuxSandboxSecurityContext {
  NamespaceOption namespace_options = 1; bool privileged = 6; SecurityProfile seccomp = 9;
}
message LinuxPodSandboxConfig {
  string cgroup_parent = 1; LinuxSandboxSecurityContext security_context = 2; map<string, string> sysctls = 3;
}
message PodSandboxMetadata { string name = 1; string uid = 2; string namespace = 3; uint32 attempt = 4; }
message PodSandboxConfig {
  PodSandboxMetadata metadata = 1; string hostname = 2; string log_directory = 3; LinuxPodSandboxConfig linux = 8;
}
message RunPodSandboxRequest { PodSandboxConfig config = 1; string runtime_handler = 2; }
message PodSandbox { string pod_sandbox_id = 1; }

message ImageSpec { string image = 1; }
message ImageStatusRequest { ImageSpec image = 1; }
message Image { string id = 1; }
message ImageStatusResponse { Image image = 1; }

message LinuxContainerResources {
  int64 cpu_period = 1; int64 cpu_quota = 2; int64 cpu_shares = 3; int64 memory_limit_in_bytes = 4; int64 oom_score_adj = 5;
}
message Capability { repeated string add_capabilities = 1; repeated string drop_capabilities = 2; }
message LinuxContainerSecurityContext {
  Capability capabilities = 1; bool privileged = 2; NamespaceOption namespace_options = 3; Int64Value run_as_user = 5;
  Int64Value run_as_group = 12; bool readonly_rootfs = 7; repeated int64 supplemental_groups = 8; bool no_new_privs = 11;
  repeated string masked_paths = 13; repeated string readonly_paths = 14; SecurityProfile seccomp = 15;
}
message LinuxContainerConfig { LinuxContainerResources resources = 1; LinuxContainerSecurityContext security_context = 2; }
message ContainerMetadata { string name = 1; uint32 attempt = 2; }
message KeyValue { string key = 1; string value = 2; }
message Mount { string container_path = 1; string host_path = 2; bool readonly = 3; }
message ContainerConfig {
  ContainerMetadata metadata = 1; ImageSpec image = 2; repeated string command = 3; repeated string args = 4;
  string working_dir = 5; repeated KeyValue envs = 6; repeated Mount mounts = 7; string log_path = 11;
  LinuxContainerConfig linux = 15;
}
message CreateContainerRequest {
  string pod_sandbox_id = 1; ContainerConfig config = 2; PodSandboxConfig sandbox_config = 3;
}
message Container { string container_id = 1; }
message StopContainerRequest { string container_id = 1; int64 timeout = 2; }
enum ContainerState { CREATED = 0; RUNNING = 1; EXITED = 2; UNKNOWN = 3; }
message ContainerStatus { string id = 1; ContainerState state = 3; int32 exit_code = 7; string reason = 10; string message = 11; }
message ContainerStatusResponse { ContainerStatus status = 1; }
message UpdateContainerResourcesRequest { string container_id = 1; LinuxContainerResources linux = 2; }
message ExecSyncRequest { string container_id = 1; repeated string cmd = 2; int64 timeout = 3; }
message ExecSyncResponse { bytes stdout = 1; bytes stderr = 2; int32 exit_code = 3; }
message MemoryUsage { int64 timestamp = 1; UInt64Value working_set_bytes = 2; }
message ContainerStats { MemoryUsage memory = 3; }
message ContainerStatsResponse { ContainerStats stats = 1; }
`

const { root } = parse(INTERFACE, { keepCase: true })
const SOCKET = 'unix:///run/containerd/containerd.sock'
/** Milliseconds until a call is given up. */
const DEADLINE = 60_000

let connection: Client | undefined
const client = (): Client => {
  connection ??= new Client(SOCKET, credentials.createInsecure())
  return connection
}

type Message = Readonly<Record<string, unknown>>

const call = (service: string, method: string, request: Type, response: Type, message: Message): Promise<Message> =>
  new Promise((resolve, reject) => {
    client().makeUnaryRequest(
      `/runtime.v1.${service}/${method}`,
      (value: Message) => Buffer.from(request.encode(request.fromObject(value)).finish()),
      (bytes: Buffer) =>
        response.toObject(response.decode(bytes), { enums: String, longs: Number, defaults: true }) as Message,
      message,
      { deadline: Date.now() + DEADLINE },
      (error, value) => (error === null && value !== undefined ? resolve(value) : reject(error)),
    )
  })

/** A method that takes a message of one type and answers with another. */
const method =
  <Answer>(name: string, request: string, response: string, service = 'RuntimeService') =>
  async (message: Message): Promise<Answer> =>
    (await call(service, name, root.lookupType(request), root.lookupType(response), message)) as Answer

export interface Status {
  readonly state: string
  readonly exit_code: number
  readonly reason: string
  readonly message: string
}

/** The calls, by the interface's names. Each fails with what containerd says. */
export const cri = {
  imageStatus: method<{ image?: { id: string } | null }>(
    'ImageStatus',
    'ImageStatusRequest',
    'ImageStatusResponse',
    'ImageService',
  ),
  runPodSandbox: method<{ pod_sandbox_id: string }>('RunPodSandbox', 'RunPodSandboxRequest', 'PodSandbox'),
  stopPodSandbox: method('StopPodSandbox', 'PodSandbox', 'Empty'),
  removePodSandbox: method('RemovePodSandbox', 'PodSandbox', 'Empty'),
  createContainer: method<{ container_id: string }>('CreateContainer', 'CreateContainerRequest', 'Container'),
  startContainer: method('StartContainer', 'Container', 'Empty'),
  stopContainer: method('StopContainer', 'StopContainerRequest', 'Empty'),
  removeContainer: method('RemoveContainer', 'Container', 'Empty'),
  containerStatus: method<{ status: Status }>('ContainerStatus', 'Container', 'ContainerStatusResponse'),
  updateContainerResources: method('UpdateContainerResources', 'UpdateContainerResourcesRequest', 'Empty'),
  execSync: method<{ stdout: Uint8Array; stderr: Uint8Array; exit_code: number }>(
    'ExecSync',
    'ExecSyncRequest',
    'ExecSyncResponse',
  ),
  containerStats: method<{ stats: { memory: { working_set_bytes: { value: number } } } }>(
    'ContainerStats',
    'Container',
    'ContainerStatsResponse',
  ),
} as const
