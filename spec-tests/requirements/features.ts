import { rulesOf } from './requirement'

/** `features`. */
export const FEATURES = [
  ...rulesOf('features.md', [
    ['FEA-1a', 'MUST', 'features prints one JSON object, which the schema of the specification describes.'],
    ['FEA-1b', 'MUST', 'ociVersionMin and ociVersionMax are versions that configurations may have.'],
    ['FEA-1c', 'MUST', 'hooks and mountOptions list what the runtime knows, and nothing of file systems.'],
    ['FEA-1d', 'MAY', 'annotations and potentiallyUnsafeConfigAnnotations.'],
  ]),
  ...rulesOf('features-linux.md', [
    ['FEA-2a', 'MUST', 'namespaces, capabilities and cgroup are what the runtime knows, whatever the host has.'],
    ['FEA-2b', 'MUST', 'seccomp: actions, operators, architectures and flags.'],
    [
      'FEA-2c',
      'MUST',
      'apparmor, selinux, intelRdt, mountExtensions, memoryPolicy and netDevices say whether they can be used.',
    ],
  ]),
]
