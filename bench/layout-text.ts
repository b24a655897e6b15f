/** Reading the map of the linker and what bench/steps.cc wrote; writing native/layout.ld. */

/** A piece of code that the linker may put anywhere. */
export interface CodeSection {
  readonly address: number
  readonly size: number
  readonly name: string
  /** "PATH.o", or "PATH.a(NAME.o)". */
  readonly object: string
}

/** An address that was executed for the first time, by the process of that number, from 0: the one that was called. */
export interface Step {
  readonly process: number
  readonly address: number
}

const NAME_ALONE = /^ (\.text\S*)$/
const PLACED = /^ (\.\S+)? +0x([0-9a-f]+) +0x([0-9a-f]+) (\S.*)$/

/** @param map what `ld -Map` wrote; sections of code in the order of their addresses */
export function codeSections(map: string): readonly CodeSection[] {
  const found: CodeSection[] = []
  // Before it stand those that were left out, at the address 0.
  const placed = map.slice(map.indexOf('Linker script and memory map'))
  let pending = ''
  for (const line of placed.split('\n')) {
    const alone = NAME_ALONE.exec(line)?.[1]
    const [, name = pending, address = '0', size = '0', object = ''] = PLACED.exec(line) ?? []
    pending = alone ?? ''
    if (alone === undefined && name.startsWith('.text') && Number(`0x${address}`) > 0 && Number(`0x${size}`) > 0) {
      found.push({ address: Number(`0x${address}`), size: Number(`0x${size}`), name, object })
    }
  }
  return found.sort((one, other) => one.address - other.address)
}

/** @param text lines "PROCESS ADDRESS"; one that a process did not come to write whole is left out */
export function stepsOf(text: string): readonly Step[] {
  return text.split('\n').flatMap((line) => {
    const [process = '', address = ''] = line.split(' ')
    return address === '' ? [] : [{ process: Number(process), address: Number(`0x${address}`) }]
  })
}

/** The section that has the address; `sections` in the order of their addresses. */
function sectionAt(sections: readonly CodeSection[], address: number): CodeSection | undefined {
  let low = 0
  let high = sections.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sections[middle]?.address ?? 0) <= address) low = middle + 1
    else high = middle
  }
  const section = sections[low - 1]
  return section !== undefined && address < section.address + section.size ? section : undefined
}

/** How a linker script names it: ld(1), "Input Section Description". */
function pattern({ name, object }: CodeSection): string {
  const library = /([^/]+\.a)\(([^)]+)\)$/.exec(object)
  if (library !== null) return `*${library[1]}:${library[2]}(${name})`
  return object.includes('obj.target') ? `*(${name})` : `*${object.split('/').at(-1)}(${name})`
}

/** GCC names the strings of a function after it (-fdata-sections). */
const stringsOf = (text: string): string | undefined => {
  const name = /^\*\(\.text\.(?:unlikely\.|startup\.|hot\.)?(.*)\)$/.exec(text)?.[1]
  return name === undefined ? undefined : `*(.rodata.${name}.str1.*)`
}

const indent = (lines: readonly string[]): string => lines.map((line) => `    ${line}`).join('\n')

/** Text of the linker script. */
export function layout(sections: readonly CodeSection[], steps: readonly Step[]): string {
  const host = new Set<CodeSection>()
  const inner = new Set<CodeSection>()
  for (const { process, address } of steps) {
    const section = sectionAt(sections, address)
    if (section !== undefined) (process === 0 ? host : inner).add(section)
  }
  // What is executed last lies beside what the container's own processes share with it.
  const order = [...inner, ...[...host].reverse().filter((section) => !inner.has(section))]
  const code = [...new Set(order.map(pattern))]
  const strings = code.flatMap((text) => stringsOf(text) ?? [])
  return `/* Written by bench/layout.ts, which says why. Names that are nobody's any more do no harm. */
SECTIONS
{
  .text.hot :
  {
${indent(code)}
  }
}
INSERT BEFORE .text;
SECTIONS
{
  .rodata.hot :
  {
${indent(strings)}
    *obj.target*(.rodata .rodata.*)
  }
}
INSERT AFTER .rodata;
/* The working memory of single verbs, which most processes never touch: behind what they do. */
SECTIONS
{
  .bss.large (NOLOAD) :
  {
    *(.bss._ZZN6tsrunc*)
    *(.bss._ZN6tsrunc6engine12_GLOBAL__N_111the_courierE)
    *libc.a:pthread_keys.o(.bss)
  }
}
INSERT AFTER .bss;
`
}
