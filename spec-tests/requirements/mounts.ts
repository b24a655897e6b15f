import { rulesOf } from './requirement'

/** `mounts` of config.json. */
export const MOUNTS = [
  ...rulesOf('config.md#mounts', [
    ['MNT-1a', 'MUST', 'Entries are mounted in the listed order.'],
    ['MNT-1b', 'MUST', 'destination is a path inside of the container, and never leads out of its root.'],
    ['MNT-1c', 'MUST', 'A destination that is relative starts at "/".'],
    ['MNT-1d', 'ERROR', 'destination is absent or empty.'],
    ['MNT-1e', 'CALLERS', 'A destination that does not exist is made.'],
    ['MNT-2a', 'MUST', 'The source of a bind mount is absolute, or relative to the bundle.'],
    ['MNT-2b', 'ERROR', 'The source of a bind mount does not exist.'],
    ['MNT-3a', 'MUST', 'type is a file system of the kernel.'],
    ['MNT-3b', 'MUST', 'bind or rbind among the options make a bind mount, whatever type says.'],
    ['MNT-3c', 'ERROR', 'type is a file system that the kernel does not have.'],
    ['MNT-8', 'MUST', 'cgroup as type shows the cgroups of the container, on either version.'],
  ]),
  ...rulesOf('config.md#linux-mount-options', [
    [
      'MNT-4a',
      'MUST',
      'The words for flags of a mount: atime, dev, exec, noatime, nodev, ro, rw, strictatime, suid, …',
    ],
    ['MNT-4b', 'MUST', 'The words for flags of a file system: async, dirsync, lazytime, silent, sync, …'],
    ['MNT-4c', 'MUST', 'The words bind, rbind and remount, and what clears a flag of a bind mount.'],
    ['MNT-4d', 'MUST', 'The words for propagation: private, shared, slave, unbindable, and r…'],
    ['MNT-4e', 'SHOULD', 'nosymfollow and symfollow.'],
    ['MNT-4f', 'SHOULD', 'The recursive words: rro, rnosuid, rnoexec, rnoatime, …'],
    ['MNT-4g', 'MAY', 'tmpcopyup, mand and nomand.'],
    ['MNT-4h', 'SHOULD', 'A word that the runtime does not know is passed to the file system.'],
    ['MNT-4i', 'ERROR', 'A word that the file system refuses, or that a bind mount cannot take.'],
    ['MNT-4j', 'CALLERS', 'copy-symlink, dest-nofollow and src-nofollow.'],
  ]),
  ...rulesOf('config.md#mounts-uid-gid-mappings', [
    ['MNT-5a', 'MUST', 'uidMappings and gidMappings of a mount map its owners.'],
    ['MNT-5b', 'ERROR', 'Only one of uidMappings and gidMappings is given.'],
    ['MNT-5c', 'ERROR', 'Mappings on a mount that is no bind mount.'],
    ['MNT-5d', 'ERROR', 'The ranges of a mount are empty, too many, overlap, or end beyond the last id.'],
    ['MNT-6a', 'MUST', 'idmap: the mount is mapped by its own mappings, without those below it.'],
    ['MNT-6b', 'MUST', 'ridmap: the mount is mapped with those below it.'],
    ['MNT-6c', 'MAY', 'idmap or ridmap without mappings of the mount: those of the user namespace of the container.'],
    ['MNT-6d', 'ERROR', 'idmap or ridmap without mappings and without a user namespace.'],
    ['MNT-6e', 'ERROR', 'The file system of the source cannot be mapped, or not by this caller.'],
    [
      'MNT-6f',
      'ERROR',
      'Mappings within the word idmap or ridmap that cannot be read, or that uidMappings contradict.',
    ],
    ['MNT-6g', 'CALLERS', 'idmap=uids=…;gids=… and ridmap=…, with ranges separated by # and relative ones after @.'],
  ]),
  ...rulesOf('config-linux.md#default-filesystems', [
    ['MNT-7', 'SHOULD', '/proc, /sys, /dev/pts and /dev/shm are there.'],
  ]),
]
