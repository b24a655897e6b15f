import { IO_PRIORITY_CLASSES, SCHEDULER_FLAGS, SCHEDULER_POLICIES } from '../../tables/scheduling'
import { BOOLEAN, form, listOf, object, ref, type Schemas, STRING, STRINGS, words } from './schema'

/** config.md "Process", with its parts for POSIX platforms and Linux. */
export const PROCESS: Schemas = {
  process: object(
    {
      terminal: BOOLEAN,
      consoleSize: ref('consoleSize'),
      cwd: STRING,
      env: STRINGS,
      args: STRINGS,
      rlimits: listOf(ref('rlimit')),
      apparmorProfile: STRING,
      capabilities: ref('capabilities'),
      noNewPrivileges: BOOLEAN,
      oomScoreAdj: form('oomScoreAdj'),
      scheduler: ref('scheduler'),
      ioPriority: ref('ioPriority'),
      execCPUAffinity: ref('execCPUAffinity'),
      selinuxLabel: STRING,
      user: ref('user'),
    },
    'cwd',
  ),
  consoleSize: object({ height: form('uint64'), width: form('uint64') }, 'height', 'width'),
  /** The type is a rule's matter, which knows the names (rules/process.ts). */
  rlimit: object({ type: STRING, soft: form('uint64'), hard: form('uint64') }, 'type', 'soft', 'hard'),
  /** Names are any strings: one that cannot be granted is a warning (config.md "Linux Process", capabilities). */
  capabilities: object({
    effective: STRINGS,
    bounding: STRINGS,
    inheritable: STRINGS,
    permitted: STRINGS,
    ambient: STRINGS,
  }),
  scheduler: object(
    {
      policy: words(Object.keys(SCHEDULER_POLICIES)),
      nice: form('int32'),
      priority: form('int32'),
      flags: listOf(words(Object.keys(SCHEDULER_FLAGS))),
      runtime: form('uint64'),
      deadline: form('uint64'),
      period: form('uint64'),
    },
    'policy',
  ),
  ioPriority: object({ class: words(Object.keys(IO_PRIORITY_CLASSES)), priority: form('ioPriority') }, 'class'),
  execCPUAffinity: object({ initial: form('cpuList'), final: form('cpuList') }),
  /** uid and gid are 0 where they are absent, for runc, crun and the published schema. */
  user: object({
    uid: form('userId'),
    gid: form('userId'),
    umask: form('umask'),
    additionalGids: listOf(form('userId')),
  }),
}
