import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GLOBAL_OPTIONS, type OptionTable } from './options'
import { loadVerb, VERBS } from './verbs'

const MAN = join(__dirname, '..', '..', 'man')

const page = (name: string): string => readFileSync(join(MAN, `${name}.8.md`), 'utf8')

/** The options that a page describes, as "--name|-n _VALUE_". */
function described(text: string): readonly string[] {
  const options = /^# OPTIONS\n([\s\S]*?)(?=^# )/m.exec(text)?.[1] ?? ''
  return [...options.matchAll(/^(\*\*--.*)\n: /gm)].map(([, head]) => head?.replaceAll('**', '') ?? '').sort()
}

function declared(table: OptionTable): readonly string[] {
  return Object.entries(table)
    .map(([name, { short, value }]) => {
      const forms = short === undefined ? `--${name}` : `--${name}|-${short}`
      return value === undefined ? forms : `${forms} _${value}_`
    })
    .sort()
}

describe('manual pages', () => {
  it('describe the global options', () => {
    expect(described(page('tsrunc'))).toEqual(declared(GLOBAL_OPTIONS))
  })

  it.each(Object.keys(VERBS))('describe the options of %s', async (name) => {
    const verb = await loadVerb(name)
    const text = page(`tsrunc-${name}`)
    expect(described(text)).toEqual(declared(verb?.options ?? {}))
    expect(text).toContain(`**tsrunc-${name}** - ${verb?.summary}`)
    expect(page('tsrunc')).toContain(`**tsrunc-${name}**(8)`)
  })
})
