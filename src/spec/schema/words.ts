/** Words of config.json that only their own property uses. What the plan needs as well stands in tables/. */

/** config-linux.md "Rootfs Mount Propagation". Engines write the recursive forms too, and '' for "not set". */
export const ROOTFS_PROPAGATIONS = [
  'shared',
  'slave',
  'private',
  'unbindable',
  'rshared',
  'rslave',
  'rprivate',
  'runbindable',
  '',
] as const
