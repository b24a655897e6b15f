/**
 * The small languages within strings, each against a plain reading of its own: written without the code's regular
 * expressions and tables, and slower.
 */
import { constants } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resourcesOfFlags } from '../cli/update-flags'
import { TsruncError } from '../errors'
import { parseUser } from '../plan/exec-process'
import { signalNumber } from '../plan/header'
import { parseMountOptions } from '../plan/mount-options'
import { sysctlPath } from '../plan/sysctl'
import { canonicalSysctl } from '../spec/rules/sysctl'
import { FORMS } from '../spec/schema/forms'
import { type IdMaps, IdmapFault, type IdRange, readIdmapOption } from '../tables/idmap-option'
import { MOUNT_OPTIONS } from '../tables/mount-options'
import { parseNumberList } from '../tables/number-list'
import { holds } from './holds'

const textOf = (characters: string, most = 12): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...characters), { maxLength: most }).map((list) => list.join(''))
const anything = fc.string({ unit: 'binary', maxLength: 12 })

/** What a throwing reader says: undefined for an error that it may have. */
function reading<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof TsruncError || (error as Error).name === 'UsageError') return undefined
    throw error
  }
}

/** A decimal number, digit by digit; undefined for anything else. `zeros`: it may begin with 0. */
function plainNumber(text: string, zeros = true): bigint | undefined {
  if (text === '' || (!zeros && text.length > 1 && text[0] === '0')) return undefined
  let value = 0n
  for (const character of text) {
    const digit = '0123456789'.indexOf(character)
    if (digit < 0) return undefined
    value = value * 10n + BigInt(digit)
  }
  return value
}

describe('mount options', () => {
  /** mount(2), mount_setattr(2), with the numbers of linux/mount.h. */
  const BITS: readonly (readonly [string, string, number])[] = [
    ['ro', 'rw', 0x1],
    ['nosuid', 'suid', 0x2],
    ['nodev', 'dev', 0x4],
    ['noexec', 'exec', 0x8],
    ['nodiratime', 'diratime', 0x80],
    ['nosymfollow', 'symfollow', 0x200000],
  ]
  /** Words of superblocks, by the bits of mount(2). */
  const SUPER: readonly (readonly [string, string, bigint])[] = [
    ['sync', 'async', 1n << 4n],
    ['mand', 'nomand', 1n << 6n],
    ['lazytime', 'nolazytime', 1n << 25n],
    ['iversion', 'noiversion', 1n << 23n],
  ]
  const words = fc.array(fc.constantFrom(...Object.keys(MOUNT_OPTIONS), 'size=1m', '', 'constructor', 'A=b,c', 'ROx'), {
    maxLength: 12,
  })

  /** Of the words on and off the last one that stands there. */
  const last = (list: readonly string[], on: string, off: string): 'on' | 'off' | undefined => {
    const at = [list.lastIndexOf(on), list.lastIndexOf(off)] as const
    return at[0] === at[1] ? undefined : at[0] > at[1] ? 'on' : 'off'
  }

  test('of two opposite words the last one counts, of the mount and of its tree', () => {
    holds(2000, words, (options) => {
      const flags = parseMountOptions({ destination: '/a', options })
      for (const [on, off, bit] of BITS) {
        const said = [last(options, on, off), last(options, `r${on}`, `r${off}`)] as const
        const sets = [flags.set, flags.setAll].map((set) => (set & BigInt(bit)) !== 0n)
        const clears = [flags.clear, flags.clearAll].map((clear) => (clear & BigInt(bit)) !== 0n)
        expect([sets, clears], on).toEqual([said.map((word) => word === 'on'), said.map((word) => word === 'off')])
      }
      for (const [on, off, bit] of SUPER) {
        const list = options.map((word) => word.replace(/^r(sync|async|mand|nomand)$/, '$1'))
        expect((flags.flags & bit) !== 0n, on).toBe(last(list, on, off) === 'on')
      }
    })
  })

  /**
   * mount(2): of MS_STRICTATIME, MS_NOATIME and MS_RELATIME, each set and cleared by its words, the first one that is set is
   * the mode; none is relatime.
   */
  function mode(options: readonly string[], prefix: string): bigint | undefined {
    const said = ['strictatime', 'noatime', 'relatime'].map((word) => {
      const off = word === 'noatime' ? 'atime' : `no${word}`
      return last(options, prefix + word, prefix + off)
    })
    if (said[0] === 'on') return 0x20n
    if (said[1] === 'on') return 0x10n
    return said.some((word) => word !== undefined) ? 0n : undefined
  }

  const times = ['', 'no'].flatMap((no) =>
    ['atime', 'relatime', 'strictatime'].flatMap((word) => [no + word, `r${no}${word}`]),
  )
  test('access times are those of the bits that mount(2) would get', () => {
    holds(3000, fc.array(fc.constantFrom(...times, 'ro'), { maxLength: 7 }), (options) => {
      const flags = parseMountOptions({ destination: '/a', options })
      const [own, tree] = [mode(options, ''), mode(options, 'r')]
      expect(flags.set & 0x70n).toBe(own ?? 0n)
      expect(flags.setAll & 0x70n).toBe(tree ?? 0n)
      // mount_setattr(2): to set a mode the whole field is cleared. The mode that each mount has may stay.
      for (const [said, clear] of [
        [own, flags.clear],
        [tree, flags.clearAll],
      ] as const) {
        const field = clear & 0x70n
        expect(
          said === undefined ? field === 0n : said === 0n ? field === 0n || field === 0x70n : field === 0x70n,
        ).toBe(true)
      }
    })
  })

  test('a word that is none of these belongs to the file system, in its place', () => {
    const known = new Set([...Object.keys(MOUNT_OPTIONS), ''])
    holds(1000, fc.array(fc.oneof(fc.constantFrom(...known), anything), { maxLength: 8 }), (options) => {
      const flags = parseMountOptions({ destination: '/a', options })
      const own = options.flatMap((word, index) =>
        known.has(word) || word.startsWith('idmap=') || word.startsWith('ridmap=') ? [] : [[word, index] as const],
      )
      expect(flags.data).toEqual(own.map(([word]) => word))
      expect(flags.words).toEqual(own.map(([, index]) => index))
    })
  })
})

describe('mappings in a mount option', () => {
  const ranges = (most: number): fc.Arbitrary<readonly IdRange[]> =>
    fc
      .array(fc.tuple(fc.nat(5), fc.nat(50), fc.integer({ min: 1, max: 8 })), { minLength: 1, maxLength: most })
      .map((list) => {
        let next = 0
        return list.map(([gap, host, size]) => {
          const containerID = next + gap
          next = containerID + size
          return { containerID, hostID: 1000 * (host + 1), size }
        })
      })
  const container = fc.record({ uids: ranges(3), gids: ranges(3) })
  const triples = fc.array(fc.tuple(fc.boolean(), fc.nat(9), fc.nat(20), fc.nat(9)), { minLength: 1, maxLength: 3 })
  type Triples = readonly (readonly [boolean, number, number, number])[]

  const write = (list: Triples): string =>
    list.map(([relative, ...numbers]) => `${relative ? '@' : ''}${numbers.join('-')}`).join('#')

  /** One id after the other: the pairs of an id of the file system and one of the host; undefined where one has none. */
  function pairs(list: Triples, of: readonly IdRange[]): (readonly [number, number])[] | undefined {
    const out: (readonly [number, number])[] = []
    for (const [relative, first, host, size] of list) {
      if (size === 0) return undefined
      for (let at = 0; at < size; at += 1) {
        if (!relative) out.push([first + at, host + at])
        else {
          const found = of.find(
            ({ containerID, size: all }) => host + at >= containerID && host + at < containerID + all,
          )
          if (found === undefined) return undefined
          out.push([first + at, found.hostID + host + at - found.containerID])
        }
      }
    }
    return out
  }
  const expand = (list: readonly IdRange[]): (readonly [number, number])[] =>
    list.flatMap(({ containerID, hostID, size }) =>
      Array.from({ length: size }, (_, at) => [containerID + at, hostID + at] as const),
    )

  test('map each id as a walk over the ids does', () => {
    holds(2000, fc.tuple(container, triples, triples, fc.boolean()), ([maps, uids, gids, swapped]) => {
      const parts = [`uids=${write(uids)}`, `gids=${write(gids)}`]
      const read = readIdmapOption(`idmap=${(swapped ? parts.reverse() : parts).join(';')}`, maps)
      const [wantedUids, wantedGids] = [pairs(uids, maps.uids), pairs(gids, maps.gids)]
      if (wantedUids === undefined || wantedGids === undefined) expect(read).toBeInstanceOf(IdmapFault)
      else {
        expect(read).not.toBeInstanceOf(IdmapFault)
        const { uids: gotUids, gids: gotGids } = read as IdMaps
        expect([expand(gotUids), expand(gotGids)]).toEqual([wantedUids, wantedGids])
      }
    })
  })

  test('of any form are mappings or a sentence', () => {
    holds(2000, fc.tuple(container, textOf('uidgs=@-#;0123456789', 30)), ([maps, text]) => {
      const read = readIdmapOption(`idmap=${text}`, maps)
      if (read instanceof IdmapFault) expect(read.message).not.toBe('')
      else for (const { size } of [...read.uids, ...read.gids]) expect(size).toBeGreaterThan(0)
    })
  })
})

describe('exec --user', () => {
  const LARGEST = 0xfffffffen
  function plain(text: string): { uid: number; gid?: number } | undefined {
    const parts = text.split(':').map((part) => plainNumber(part, false))
    if (parts.length > 2 || parts.some((part) => part === undefined || part > LARGEST)) return undefined
    const [uid = 0n, gid] = parts
    return { uid: Number(uid), ...(gid === undefined ? {} : { gid: Number(gid) }) }
  }
  const id = fc.oneof(fc.nat(99), fc.bigInt(0n, 2n ** 33n), fc.constantFrom(0xfffffffe, 0xffffffff)).map(String)
  test('is UID or UID:GID and nothing else', () => {
    const texts = fc.oneof(
      id,
      fc.tuple(id, id).map((pair) => pair.join(':')),
      textOf('01259:+-. x٣'),
      anything,
    )
    holds(4000, texts, (text) => {
      expect(reading(() => parseUser(text))).toEqual(plain(text))
    })
  })
})

describe('lists of numbers', () => {
  /** Character by character. */
  function plain(list: string, max: number): number[] | undefined {
    const out = new Set<number>()
    for (const part of list.replaceAll(',', ' ').replaceAll('\t', ' ').split(' ')) {
      if (part === '') continue
      const [first, last, ...rest] = part.split('-').map((end) => (end.length > 9 ? undefined : plainNumber(end)))
      const end = part.includes('-') ? last : first
      if (rest.length > 0 || first === undefined || end === undefined || first > end || end > BigInt(max))
        return undefined
      for (let number = first; number <= end; number += 1n) out.add(Number(number))
    }
    return [...out].sort((one, other) => one - other)
  }
  const texts = fc.oneof(
    textOf('0123456789-, \t', 16),
    textOf('0123,-', 10),
    fc.array(fc.nat(9000), { maxLength: 5 }).map((list) => list.join(',')),
    textOf('019-,:/x', 8),
  )
  test('are what their ranges say', () => {
    holds(4000, fc.tuple(texts, fc.constantFrom(7, 1023, 8191)), ([text, max]) => {
      expect(parseNumberList(text, max)).toEqual(plain(text, max))
    })
  })
  test('with strides are those that bitmap_parselist of the kernel takes', () => {
    const number = (text = ''): bigint | undefined => (text.length > 9 ? undefined : plainNumber(text))
    const isRange = (part: string): boolean => {
      const [range = '', stride, ...more] = part.split(':')
      const [first, last, ...rest] = range.split('-')
      if (more.length > 0 || rest.length > 0 || number(first) === undefined) return false
      if (last === undefined) return stride === undefined
      const [used, group, ...others] = stride?.split('/') ?? ['1', '1']
      const isStride =
        others.length === 0 && plainNumber(used ?? '') !== undefined && plainNumber(group ?? '') !== undefined
      return isStride && number(last) !== undefined && (number(first) ?? 0n) <= (number(last) ?? 0n)
    }
    holds(4000, fc.oneof(texts, textOf('0123-, :/\n\t', 10), textOf('01-:/', 9)), (text) => {
      const parts = text.replaceAll(',', ' ').split(' ')
      expect(FORMS.numberList.test(text)).toBe(parts.every((part) => part === '' || isRange(part)))
    })
  })
})

describe('signals', () => {
  const OWN = { ...constants.signals } as Readonly<Record<string, number>>
  function plain(text: string): number | undefined {
    const number = text.length <= 2 ? plainNumber(text) : undefined
    if (number !== undefined) return number >= 1n && number <= 64n ? Number(number) : undefined
    const upper = text.toUpperCase()
    const name = upper.startsWith('SIG') ? upper.slice(3) : upper
    const aliases: Readonly<Record<string, number>> = { CLD: 17, UNUSED: 31 }
    const known =
      Object.entries(OWN).find(([word]) => word === `SIG${name}`)?.[1] ??
      Object.entries(aliases).find(([word]) => word === name)?.[1]
    if (known !== undefined) return known
    for (const [base, sign, first] of [
      ['RTMIN', '+', 34],
      ['RTMAX', '-', 64],
    ] as const) {
      if (name === base) return first
      if (!name.startsWith(base + sign)) continue
      const digits = name.slice(base.length + 1)
      const offset = digits.length > 2 ? undefined : plainNumber(digits)
      const value = offset === undefined ? 0 : sign === '+' ? first + Number(offset) : first - Number(offset)
      return value >= 34 && value <= 64 ? value : undefined
    }
    return undefined
  }
  const names = fc.constantFrom(
    ...Object.keys(OWN),
    'SIGCLD',
    'RTMIN',
    'SIGRTMAX-3',
    'RTMIN+9',
    'RTMAX+1',
    'RTMIN-1',
    'sig',
  )
  const cased = fc
    .tuple(names, fc.nat(255))
    .map(([name, bits]) =>
      [...name].map((letter, at) => ((bits >> (at & 7)) & 1 ? letter.toLowerCase() : letter)).join(''),
    )
  test('have the numbers of signal(7)', () => {
    const texts = fc.oneof(
      cased,
      cased.map((name) => name.replace(/^sig/i, '')),
      textOf('0123456789', 3),
      textOf('SIGRTMAXN+-0123', 10),
      anything,
    )
    holds(5000, texts, (text) => {
      expect(signalNumber(text), text).toBe(plain(text))
    })
  })
})

describe('sysctls', () => {
  /** sysctl(8), as a list of parts: the separator that comes first separates, the other one stands for it. */
  function plain(name: string): string[] {
    const separator = [...name].find((character) => character === '.' || character === '/') ?? '.'
    const other = separator === '.' ? '/' : '.'
    return name.split(separator).map((part) => part.split(other).join(separator === '.' ? '.' : other))
  }
  const names = fc.oneof(
    textOf('net./ipv4a', 16),
    fc
      .array(fc.constantFrom('net', 'kernel', '.', '/', '..', 'eth0', 'a'), { maxLength: 8 })
      .map((list) => list.join('')),
    anything,
  )
  test('are one path, whichever separator they are written with', () => {
    holds(4000, names, (name) => {
      const parts = plain(name)
      expect(sysctlPath(name)).toBe(parts.join('/'))
      expect(canonicalSysctl(name)).toBe(parts.map((part) => part.replaceAll('.', '/')).join('.'))
    })
  })
})

describe('sizes of update', () => {
  const UNITS: Readonly<Record<string, bigint>> = { '': 0n, k: 10n, m: 20n, g: 30n, t: 40n, p: 50n }
  const unit = fc.constantFrom(...Object.keys(UNITS))
  test('are a number of units of 1024', () => {
    holds(
      2000,
      fc.tuple(
        fc.bigInt(0n, 10n ** 15n - 1n),
        fc.nat(999_999),
        fc.nat(6),
        unit,
        fc.constantFrom('', 'b', 'ib', 'B', 'iB'),
        fc.boolean(),
      ),
      (values) => {
        const [whole, part, digits, letter, tail, upper] = values
        const fraction = digits === 0 ? '' : String(part).padStart(6, '0').slice(0, digits)
        const text = `${whole}${fraction === '' ? '' : `.${fraction}`}${upper ? letter.toUpperCase() : letter}${tail}`
        const bytes =
          whole * 2n ** (UNITS[letter] ?? 0n) +
          (BigInt(fraction || '0') * 2n ** (UNITS[letter] ?? 0n)) / 10n ** BigInt(fraction.length)
        const read = resourcesOfFlags({ memory: text } as Parameters<typeof resourcesOfFlags>[0])
        expect(Buffer.from(read.json).toString()).toBe(`{"memory":{"limit":${bytes}}}`)
      },
    )
  })
  test('of any other form are refused', () => {
    holds(2000, fc.oneof(textOf('0129.-+kmgtpibB x', 10), anything), (text) => {
      const read = reading(() => resourcesOfFlags({ memory: text } as Parameters<typeof resourcesOfFlags>[0]))
      if (read === undefined || text === '') return
      expect(text).toMatch(/^-?\d+$|^\d+(\.\d+)?\s?[kmgtp]?i?b?$/i)
      expect(Buffer.from(read.json).toString()).toMatch(/^\{"memory":\{"limit":-?\d+\}\}$/)
    })
  })
})
