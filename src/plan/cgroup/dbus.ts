/**
 * Values of D-Bus and their bytes (D-Bus Specification, "Type System" and "Marshaling"), little endian: the arguments of the
 * calls to systemd that a plan holds.
 */

export type DbusValue =
  | { readonly type: 'y' | 'n' | 'q' | 'i' | 'u'; readonly value: number }
  | { readonly type: 'x' | 't'; readonly value: bigint }
  | { readonly type: 'd'; readonly value: number }
  | { readonly type: 'b'; readonly value: boolean }
  | { readonly type: 's' | 'o' | 'g'; readonly value: string }
  | { readonly type: 'v'; readonly value: DbusValue }
  /** `element`: the signature of each item. */
  | { readonly type: 'a'; readonly element: string; readonly items: readonly DbusValue[] }
  | { readonly type: '('; readonly items: readonly DbusValue[] }

export const dbusString = (value: string): DbusValue => ({ type: 's', value })
export const dbusBoolean = (value: boolean): DbusValue => ({ type: 'b', value })
export const dbusU64 = (value: bigint): DbusValue => ({ type: 't', value })
export const dbusU32 = (value: number): DbusValue => ({ type: 'u', value })
export const dbusArray = (element: string, items: readonly DbusValue[]): DbusValue => ({ type: 'a', element, items })
export const dbusStruct = (...items: readonly DbusValue[]): DbusValue => ({ type: '(', items })

export function signatureOf(value: DbusValue): string {
  if (value.type === 'a') return `a${value.element}`
  if (value.type === '(') return `(${value.items.map(signatureOf).join('')})`
  return value.type
}

const ALIGNMENT: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  '(': 8,
  '{': 8,
}

const alignmentOf = (signature: string): number => ALIGNMENT[signature.charAt(0)] ?? 1

/** Bounds of each kind of number: [least, most]. */
const BOUNDS = {
  y: [0n, 0xffn],
  n: [-0x8000n, 0x7fffn],
  q: [0n, 0xffffn],
  i: [-0x80000000n, 0x7fffffffn],
  u: [0n, 0xffffffffn],
  x: [-(1n << 63n), (1n << 63n) - 1n],
  t: [0n, (1n << 64n) - 1n],
} as const

export type DbusInteger = keyof typeof BOUNDS

export const fitsInteger = (type: DbusInteger, value: bigint): boolean =>
  value >= BOUNDS[type][0] && value <= BOUNDS[type][1]

/** The message's body starts at a multiple of eight, so positions in it are aligned as in the message. */
export class DbusWriter {
  private buffer = Buffer.alloc(1024)
  private used = 0

  get length(): number {
    return this.used
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.used)
  }

  write(value: DbusValue): void {
    switch (value.type) {
      case 'y':
      case 'n':
      case 'q':
      case 'i':
      case 'u':
        this.integer(value.type, BigInt(value.value))
        return
      case 'x':
      case 't':
        this.integer(value.type, value.value)
        return
      case 'd':
        this.buffer.writeDoubleLE(value.value, this.room('d', 8))
        return
      case 'b':
        this.integer('u', value.value ? 1n : 0n)
        return
      case 's':
      case 'o':
        this.text(value.value)
        return
      case 'g':
        this.signature(value.value)
        return
      case 'v':
        this.signature(signatureOf(value.value))
        this.write(value.value)
        return
      case '(':
        this.room('(', 0)
        for (const item of value.items) this.write(item)
        return
      case 'a':
        this.array(value.element, value.items)
    }
  }

  /** Room for `size` bytes at the alignment of the type; gaps are zero. */
  private room(signature: string, size: number): number {
    const alignment = alignmentOf(signature)
    const at = Math.ceil(this.used / alignment) * alignment
    if (at + size > this.buffer.length) {
      const grown = Buffer.alloc(Math.max(this.buffer.length * 2, at + size))
      this.buffer.copy(grown, 0, 0, this.used)
      this.buffer = grown
    }
    this.used = at + size
    return at
  }

  private integer(type: DbusInteger, value: bigint): void {
    if (!fitsInteger(type, value)) throw new RangeError(`${value} does not fit type "${type}" of D-Bus`)
    const size = alignmentOf(type)
    const at = this.room(type, size)
    const unsigned = BigInt.asUintN(size * 8, value)
    if (size === 8) this.buffer.writeBigUInt64LE(unsigned, at)
    else this.buffer.writeUIntLE(Number(unsigned), at, size)
  }

  private text(value: string): void {
    const size = Buffer.byteLength(value)
    this.integer('u', BigInt(size))
    this.buffer.write(value, this.room('y', size + 1))
  }

  private signature(value: string): void {
    const at = this.room('g', 1 + value.length + 1)
    this.buffer.writeUInt8(value.length, at)
    this.buffer.write(value, at + 1)
  }

  /** The length counts neither itself nor what aligns the first item. */
  private array(element: string, items: readonly DbusValue[]): void {
    const lengthAt = this.room('u', 4)
    const start = this.room(element, 0)
    for (const item of items) this.write(item)
    this.buffer.writeUInt32LE(this.used - start, lengthAt)
  }
}
