import { CGROUPS } from './cgroups'
import { CONFIG } from './config'
import { LINUX } from './linux'
import { PROCESS } from './process'
import type { Schemas } from './schema'
import { SECCOMP } from './seccomp'

/**
 * Every schema of config.json by its name, written from the specification 1.3.0. tools/gen-validators.ts makes
 * validate.gen.ts of them. `tsrunc validate` looks up the names of properties in them; create does not read them.
 */
export const SCHEMAS: Schemas = { ...CONFIG, ...PROCESS, ...LINUX, ...CGROUPS, ...SECCOMP }

/** The schemas which get an exported validator: function name → schema name. */
export const VALIDATORS = {
  validateConfig: 'config',
  validateProcess: 'process',
  validateResources: 'resources',
} as const
