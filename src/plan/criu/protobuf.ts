/**
 * Writes messages in the wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as CRIU's rpc.proto needs
 * it: a field is a varint of number and wire type, then a varint, or a length and bytes.
 */
const VARINT = 0
const LENGTH_DELIMITED = 2

/** int32 and enum: a negative number is sign-extended to 64 bits. */
function varint(out: number[], value: number): void {
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
}

export class ProtobufWriter {
  readonly #bytes: number[] = []

  #key(field: number, type: number): void {
    varint(this.#bytes, field * 8 + type)
  }

  number(field: number, value: number): this {
    this.#key(field, VARINT)
    varint(this.#bytes, value)
    return this
  }

  /** A flag that is not set is left out. */
  flag(field: number, value: boolean): this {
    return value ? this.number(field, 1) : this
  }

  bytes(field: number, value: Uint8Array): this {
    this.#key(field, LENGTH_DELIMITED)
    varint(this.#bytes, value.length)
    for (const byte of value) this.#bytes.push(byte)
    return this
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}
