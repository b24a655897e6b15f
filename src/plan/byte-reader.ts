/** What a plan's bytes cannot be. */
export class PlanBytesError extends Error {}

/**
 * Little endian, as ByteWriter wrote it. Every length is checked against what is left, as native/wire/decoder.h does it.
 * Errors: PlanBytesError.
 */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The position of the next `size` bytes, which are then behind. */
  #take(size: number): number {
    const at = this.#at
    if (size > this.#bytes.length - at) throw new PlanBytesError(`ends at byte ${this.#bytes.length}, in a value`)
    this.#at = at + size
    return at
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8))
  }

  i64(): bigint {
    return this.#bytes.readBigInt64LE(this.#take(8))
  }

  bool(): boolean {
    const value = this.u32()
    if (value > 1) throw new PlanBytesError(`has ${value} where 0 or 1 belongs`)
    return value === 1
  }

  str(): string {
    const size = this.u32()
    const at = this.#take(size + 1)
    if (this.#bytes.indexOf(0, at) !== at + size) throw new PlanBytesError('has a text that does not end where it says')
    return this.#bytes.toString('utf8', at, at + size)
  }

  bytes(): Uint8Array {
    const at = this.#take(this.u32())
    return this.#bytes.subarray(at, this.#at)
  }

  /** The length of a list of elements that take at least `least` bytes each. */
  count(least: number): number {
    const count = this.u32()
    if (count > (this.#bytes.length - this.#at) / least) throw new PlanBytesError('has a list longer than its bytes')
    return count
  }
}
