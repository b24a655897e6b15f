import { BOOLEAN, form, listOf, mapOf, object, ref, type Schemas, STRING, STRINGS } from './schema'

/** The top of config.json: config.md "Root", "Mounts", "POSIX-platform Hooks", "Annotations". */
export const CONFIG: Schemas = {
  config: object(
    {
      ociVersion: STRING,
      root: ref('root'),
      mounts: listOf(ref('mount')),
      process: ref('process'),
      hostname: STRING,
      domainname: STRING,
      hooks: ref('hooks'),
      annotations: mapOf(STRING),
      linux: ref('linux'),
    },
    'ociVersion',
    'root',
  ),
  root: object({ path: form('nonEmpty'), readonly: BOOLEAN }, 'path'),
  mount: object(
    {
      destination: form('nonEmpty'),
      source: STRING,
      type: STRING,
      options: STRINGS,
      uidMappings: listOf(ref('idMapping')),
      gidMappings: listOf(ref('idMapping')),
    },
    'destination',
  ),
  /** config-linux.md "User namespace mappings". */
  idMapping: object(
    { containerID: form('uint32'), hostID: form('uint32'), size: form('uint32') },
    'containerID',
    'hostID',
    'size',
  ),
  hooks: object({
    prestart: listOf(ref('hook')),
    createRuntime: listOf(ref('hook')),
    createContainer: listOf(ref('hook')),
    startContainer: listOf(ref('hook')),
    poststart: listOf(ref('hook')),
    poststop: listOf(ref('hook')),
  }),
  hook: object({ path: form('absolutePath'), args: STRINGS, env: STRINGS, timeout: form('hookTimeout') }, 'path'),
}
