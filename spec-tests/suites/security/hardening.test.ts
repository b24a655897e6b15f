// How the executable is built: what an attacker who finds an error in it cannot use.
import { execFileSync } from 'node:child_process'
import { doesNotMatch, equal, match, ok, runtime, test } from '../../lib'

const readelf = (...flags: string[]): string =>
  execFileSync('readelf', ['--wide', ...flags, runtime().path], { encoding: 'utf8' })

/** "TYPE OFFSET VIRTUAL PHYSICAL SIZE MEMORY FLAGS ALIGNMENT" of each program header. */
const segments = (): { type: string; flags: string }[] =>
  [...readelf('--program-headers').matchAll(/^ +([A-Z_]+) +(?:0x[0-9a-f]+ +){5}([RWE ]{3})/gm)].map(
    ([, type = '', flags = '']) => ({ type, flags }),
  )

test('the executable can be loaded anywhere, and needs no loader and no library', { only: ['tsrunc'] }, async () => {
  match(readelf('--file-header'), /Type: +DYN/)
  equal(segments().filter(({ type }) => type === 'INTERP').length, 0)
  doesNotMatch(readelf('--dynamic'), /\(NEEDED\)|\(RUNPATH\)|\(RPATH\)|\(TEXTREL\)/)
})

test('nothing of it is writable and executable, least of all the stack', { only: ['tsrunc'] }, async () => {
  ok(segments().some(({ type }) => type === 'LOAD'))
  equal(segments().filter(({ flags }) => flags.includes('W') && flags.includes('E')).length, 0)
  equal(segments().find(({ type }) => type === 'GNU_STACK')?.flags, 'RW ')
})

test('what the relocation has written is read-only afterwards', { only: ['tsrunc'] }, async () => {
  ok(segments().some(({ type }) => type === 'GNU_RELRO'))
  match(readelf('--dynamic'), /\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b/)
})
