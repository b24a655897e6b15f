/** The parts of a config.json that are tied to the machine it was written on. Everything else passes through. */
export interface EngineConfig {
  ociVersion?: string
  root?: { path?: string }
  process?: {
    args?: readonly string[]
    cwd?: string
    terminal?: boolean
    rlimits?: { type: string; soft: unknown; hard: unknown }[]
  }
  mounts?: Mount[]
  hooks?: Record<string, Hook[]>
  linux?: {
    cgroupsPath?: string
    namespaces?: { type: string; path?: string }[]
    uidMappings?: IdMapping[]
    gidMappings?: IdMapping[]
  }
}

export interface Mount {
  destination: string
  source?: string
  type?: string
  options?: string[]
}

export interface Hook {
  path: string
  args?: string[]
}

export interface IdMapping {
  containerID: number
  hostID: number
  size: number
}
