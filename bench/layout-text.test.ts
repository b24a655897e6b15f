import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeSections, layout, stepsOf } from './layout-text'

const MAP = `
Discarded input sections

 .text.unused   0x0000000000000000       0x10 ./Release/obj.target/tsrunc/native/a.o

Memory map

Linker script and memory map

 .text          0x0000000000001000       0x20 /usr/lib/x86_64-linux-gnu/rcrt1.o
 .text.one      0x0000000000001020       0x10 ./Release/obj.target/tsrunc/native/a.o
 .text._ZN6tsrunc3twoEv
                0x0000000000001030       0x10 ./Release/obj.target/tsrunc/native/b.o
 .text          0x0000000000001040        0x0 ./Release/obj.target/tsrunc/native/b.o
 .rodata        0x0000000000002000       0x10 ./Release/obj.target/tsrunc/native/b.o
 .text.evex     0x0000000000001050       0x40 /usr/lib/x86_64-linux-gnu/libc.a(strlen-evex.o)
`

describe('the layout of the executable', () => {
  test('reads which code lies where', () => {
    expect(codeSections(MAP).map(({ address, name, object }) => [address, name, object.split('/').at(-1)])).toEqual([
      [0x1000, '.text', 'rcrt1.o'],
      [0x1020, '.text.one', 'a.o'],
      [0x1030, '.text._ZN6tsrunc3twoEv', 'b.o'],
      [0x1050, '.text.evex', 'libc.a(strlen-evex.o)'],
    ])
  })

  test('puts what the inner processes execute first, and beside it what the caller executed last', () => {
    const steps = stepsOf('0 1000\n0 1022\n0 105f\n1 1031\n0 1031\n1 9999\n0 10')
    const script = layout(codeSections(MAP), steps)
    const hot = script.slice(script.indexOf('.text.hot'), script.indexOf('INSERT BEFORE .text'))
    expect(hot.match(/\*.*\)/g)).toEqual([
      '*(.text._ZN6tsrunc3twoEv)',
      '*libc.a:strlen-evex.o(.text.evex)',
      '*(.text.one)',
      '*rcrt1.o(.text)',
    ])
    expect(script).toContain('*(.rodata._ZN6tsrunc3twoEv.str1.*)')
  })

  const root = join(__dirname, '..')
  const map = join(root, 'build', 'tsrunc.map')

  test.skipIf(!existsSync(map))('is that of the functions as they are named today', () => {
    const named = [...readFileSync(join(root, 'native', 'layout.ld'), 'utf8').matchAll(/\*\((\.text\._Z\S+)\)/g)]
    const there = new Set(codeSections(readFileSync(map, 'utf8')).map(({ name }) => name))
    const known = named.filter(([, name = '']) => there.has(name))
    expect(named.length).toBeGreaterThan(100)
    // Otherwise `npm run layout` is due.
    expect(known.length / named.length).toBeGreaterThan(0.9)
  })
})
