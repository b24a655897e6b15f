// config.md, config-linux.md: every property with values that it cannot have. `create` refuses each by the property's name and leaves
// nothing behind. Which values these are is said beside the sources' own tests, which try all of them without a process for each.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, bundle, match, ok, type TestOptions, test } from '../../lib'
import { BAD_VALUES, type BadValue, withJson, withTwice } from '../../lib/bad-values'
import { exampleConfig, examplePointer, PROPERTIES } from '../../lib/properties'
import { ruleAt } from './proves'

/** Kinds of mistakes; of each the first value that the property cannot have. null is a property that is absent, as engines write it. */
const KINDS: readonly (readonly [name: string, isOfKind: (value: BadValue) => boolean])[] = [
  ['a list', ({ value }) => Array.isArray(value)],
  ['an object', ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value)],
  ['a truth value', ({ value }) => typeof value === 'boolean'],
  ['a number below the range', ({ json }) => /^-[1-9]\d*$/.test(json)],
  ['a fraction', ({ json }) => /^-?\d+\.\d+$/.test(json)],
  ['2^64', ({ name }) => name === '2^64'],
  ['no number of any machine', ({ name }) => name === '1e400'],
  ['an empty string', ({ value }) => value === ''],
  ['a word that is none', ({ value }) => value === 'NO_SUCH_WORD'],
  ['a path that climbs', ({ value }) => value === '../..'],
  ['a string with a NUL byte', ({ value }) => typeof value === 'string' && value.includes('\0')],
  ['half of a character', ({ name }) => name.includes('surrogate')],
  ['a string of a megabyte', ({ name }) => name.includes('megabyte')],
]

/** The other runtimes take much of this, and some of it changes the host. */
const HERE: TestOptions = { only: ['tsrunc'], timeout: 120_000 }
/** Processes for each property: kinds take turns, so that all of them meet properties of all sorts. */
const TURNS = 1
/** Bytes; what a person or a log can hold, and the limits of engines that cut. */
const MOST = 4096

const CONFIG = exampleConfig()

const create = async (b: Bundle, text: string): Promise<string> => {
  writeFileSync(join(b.path, 'config.json'), text)
  return await b.refused()
}

const escaped = (pointer: string): string => pointer.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The property's own name or, where the value is the list's or map's fault, that of what holds it. */
const names = (pointer: string): RegExp => {
  const [, parent = ''] = /^(.*)\/0$/.exec(pointer) ?? []
  const places = parent === '' ? [pointer] : [pointer, parent]
  return new RegExp(`(${places.map(escaped).join('|')})(?![\\w-])`)
}

Object.entries(PROPERTIES).forEach(([pattern, { accepts }], row) => {
  const pointer = examplePointer(pattern)
  const all = KINDS.flatMap(([kind, isOfKind]) => {
    const value = BAD_VALUES.find((candidate) => isOfKind(candidate) && !accepts(candidate.value))
    return value === undefined ? [] : [{ kind, value }]
  })
  const bad = Array.from({ length: TURNS }, (_, turn) => all[(row * TURNS + turn) % all.length]).filter(
    (value) => value !== undefined,
  )
  test(
    `config.md [${ruleAt(pointer)} GEN-3]: ${pattern} is not ${bad.map(({ kind }) => kind).join(', ')}`,
    HERE,
    async () => {
      ok(all.length > TURNS, 'a property that takes everything')
      const b = await bundle()
      for (const { kind, value } of bad) {
        const errors = await create(b, withJson(CONFIG, pointer, value.json))
        match(errors, names(pointer), kind)
        ok(errors.length < MOST, `${kind}: ${errors.length} bytes of errors`)
      }
      if (!pattern.endsWith('*')) {
        match(await create(b, withTwice(CONFIG, pointer)), names(pointer), 'twice')
      }
    },
  )
})

test('config.md [MNT-1d GEN-3]: 10,000 mounts of which one is wrong', HERE, async () => {
  const b = await bundle()
  const mounts = Array.from({ length: 10_000 }, (_, n) => ({ destination: `/m${n}`, type: 'tmpfs', source: 'tmpfs' }))
  const wrong = mounts.map((mount, n) => (n === 9_876 ? { ...mount, options: ['bind\0'] } : mount))
  match(await create(b, JSON.stringify({ ...b.config, mounts: wrong })), /\/mounts\/9876\/options\/0/)
})
