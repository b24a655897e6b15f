/** personality(2): PER_*, by the names of config-linux.md "Personality". */
export const PERSONALITY_DOMAINS = { LINUX: 0x0000, LINUX32: 0x0008 } as const satisfies Readonly<
  Record<string, number>
>
