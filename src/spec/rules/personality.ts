import type { Rule } from '../fault'

/** "flags … Currently no flag values are supported." */
const noPersonalityFlags: Rule = {
  id: 'personality-flags',
  section: 'config-linux.md "Personality"',
  severity: 'error',
  check({ linux }, report) {
    const flags = linux?.personality?.flags ?? []
    if (flags.length > 0) report('/linux/personality/flags', `must be empty: the specification has no flags yet`)
  },
}

export const PERSONALITY_RULES: readonly Rule[] = [noPersonalityFlags]
