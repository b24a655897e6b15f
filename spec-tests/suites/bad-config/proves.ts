/** The rule that refuses a bad value, by the beginning of its JSON pointer; the longest one counts. */
const RULES: Readonly<Record<string, string>> = {
  '': 'GEN-2',
  '/ociVersion': 'GEN-10b',
  '/root': 'ROOT-1',
  '/root/path': 'ROOT-2b',
  '/root/readonly': 'GEN-2',
  '/hostname': 'UTS-1b',
  '/domainname': 'UTS-2b',
  '/annotations': 'ANN-1b',
  '/mounts/*/destination': 'MNT-1d',
  '/mounts/*/source': 'MNT-2b',
  '/mounts/*/type': 'MNT-3c',
  '/mounts/*/options': 'MNT-4i',
  '/mounts/*/uidMappings': 'MNT-5b',
  '/mounts/*/uidMappings/*': 'MNT-5d',
  '/mounts/*/gidMappings': 'MNT-5b',
  '/hooks/*/*/path': 'HK-7d',
  '/hooks/*/*/timeout': 'HK-7e',
  '/process/consoleSize': 'PRC-2c',
  '/process/cwd': 'PRC-3b',
  '/process/args': 'PRC-5c',
  '/process/rlimits': 'PRC-6c',
  '/process/apparmorProfile': 'PRC-7b',
  '/process/oomScoreAdj': 'PRC-10c',
  '/process/scheduler': 'PRC-11c',
  '/process/ioPriority': 'PRC-12b',
  '/process/execCPUAffinity': 'PRC-13b',
  '/process/selinuxLabel': 'PRC-14b',
  '/process/user': 'PRC-15d',
  '/linux/namespaces': 'NS-1d',
  '/linux/namespaces/*/path': 'NS-2b',
  '/linux/uidMappings': 'NS-3c',
  '/linux/gidMappings': 'NS-3c',
  '/linux/timeOffsets': 'NS-4b',
  '/linux/devices': 'DEV-1d',
  '/linux/netDevices': 'NET-1e',
  '/linux/intelRdt': 'RDT-1g',
  '/linux/memoryPolicy': 'MPL-1b',
  '/linux/sysctl': 'SYS-1b',
  '/linux/cgroupsPath': 'CG-1c',
  '/linux/rootfsPropagation': 'LNX-1b',
  '/linux/maskedPaths': 'LNX-2b',
  '/linux/readonlyPaths': 'LNX-3b',
  '/linux/mountLabel': 'LNX-4b',
  '/linux/personality': 'LNX-5b',
  '/linux/resources/devices': 'CG-4c',
  '/linux/resources/memory': 'CG-5i',
  '/linux/resources/cpu': 'CG-6g',
  '/linux/resources/pids': 'CG-7c',
  '/linux/resources/blockIO': 'CG-8c',
  '/linux/resources/hugepageLimits': 'CG-9b',
  '/linux/resources/network': 'CG-10b',
  '/linux/resources/rdma': 'CG-11b',
  '/linux/resources/unified': 'CG-12b',
  '/linux/seccomp/defaultAction': 'SEC-1c',
  '/linux/seccomp/defaultErrnoRet': 'SEC-2b',
  '/linux/seccomp/architectures': 'SEC-3b',
  '/linux/seccomp/flags': 'SEC-4b',
  '/linux/seccomp/listenerPath': 'SEC-6e',
  '/linux/seccomp/listenerMetadata': 'SEC-6e',
  '/linux/seccomp/syscalls': 'SEC-5c',
  '/linux/seccomp/syscalls/*/action': 'SEC-1c',
  '/linux/seccomp/syscalls/*/errnoRet': 'SEC-2b',
}

const beginsWith = (pointer: readonly string[], beginning: readonly string[]): boolean =>
  beginning.every((step, index) => (step === '*' ? pointer[index] !== undefined : step === pointer[index]))

/** The identifier of the rule in spec-tests/requirements that a bad value at this JSON pointer breaks. */
export const ruleAt = (pointer: string): string => {
  const path = pointer.split('/')
  const matching = Object.keys(RULES)
    .filter((rule) => beginsWith(path, rule.split('/')))
    .sort((one, other) => other.length - one.length)
  return RULES[matching[0] ?? ''] ?? ''
}
