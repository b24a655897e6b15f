const viewOf = (buffer: Buffer): DataView => new DataView(buffer.buffer, buffer.byteOffset, buffer.length)

/**
 * Little endian, as native/wire/decoder.h reads it. Numbers that do not fit are a RangeError.
 *
 * Grows as needed. A DataView, because node's Buffer methods cost a plan of a hundred operations a millisecond.
 */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(32768)
  private view = viewOf(this.buffer)
  private used = 0

  /** Make room for `size` bytes, which may replace `buffer` and `view`; they start at the position that is returned. */
  private room(size: number): number {
    const at = this.used
    if (at + size > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, at + size))
      this.buffer.copy(grown, 0, 0, at)
      this.buffer = grown
      this.view = viewOf(grown)
    }
    return at
  }

  u32(value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`${value} does not fit into 32 bits`)
    const at = this.room(4)
    this.view.setUint32(at, value, true)
    this.used = at + 4
  }

  i64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit into 64 bits`)
    const at = this.room(8)
    this.view.setBigInt64(at, value, true)
    this.used = at + 8
  }

  u64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${value} does not fit into 64 bits`)
    const at = this.room(8)
    this.view.setBigUint64(at, value, true)
    this.used = at + 8
  }

  str(value: string): void {
    // A UTF-16 unit takes three bytes of UTF-8 at most.
    const at = this.room(4 + value.length * 3 + 1)
    const size = this.buffer.write(value, at + 4)
    this.view.setUint32(at, size, true)
    this.buffer[at + 4 + size] = 0
    this.used = at + 4 + size + 1
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length)
    const at = this.room(value.length)
    this.buffer.set(value, at)
    this.used = at + value.length
  }

  /** Write `value` at an earlier position. */
  patch(at: number, value: number): void {
    this.view.setUint32(at, value, true)
  }

  get length(): number {
    return this.used
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.used)
  }
}
