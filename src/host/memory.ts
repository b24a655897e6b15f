/**
 * What planning need not find out again. A process that plans once remembers nothing; a planner (planner/) does. Nobody may
 * change what comes out of it.
 */
export interface Memory {
  /**
   * A fact of this host that lasts as long as the kernel runs and the mount table of this mount namespace stays as it is.
   *
   * @param key names the fact and all that it depends on beside them
   * @param probe finds it, again when the mount table has changed: it looks at nothing of the caller's
   */
  fact<T>(key: string, probe: () => T): T
  /**
   * What `make` makes of these bytes and of nothing else. What it throws is not remembered.
   *
   * @param kind names what is made
   */
  content<T>(kind: string, bytes: Uint8Array, make: () => T): T
}

export const NO_MEMORY: Memory = {
  fact: (_key, probe) => probe(),
  content: (_kind, _bytes, make) => make(),
}
