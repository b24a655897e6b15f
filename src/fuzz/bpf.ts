/** An interpreter of the classic BPF that seccomp(2) takes, as far as libseccomp and tsrunc write it. */

export const AUDIT_ARCH_X86_64 = 0xc000003e
export const AUDIT_ARCH_I386 = 0x40000003

/** struct seccomp_data. */
export interface Call {
  readonly nr: number
  readonly arch?: number
  readonly args?: readonly bigint[]
}

function word({ nr, arch = AUDIT_ARCH_X86_64, args = [] }: Call, offset: number): number {
  if (offset === 0) return nr
  if (offset === 4) return arch
  const value = args[(offset - 16) >> 3] ?? 0n
  return Number((offset & 4) === 0 ? value & 0xffffffffn : value >> 32n)
}

/** What the kernel would answer. */
export function run(program: Uint8Array, call: Call): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  let accumulator = 0
  for (let pc = 0; pc < program.length / 8; pc++) {
    const code = view.getUint16(pc * 8, true)
    const k = view.getUint32(pc * 8 + 4, true)
    const jump = (taken: boolean) => view.getUint8(pc * 8 + (taken ? 2 : 3))
    if (code === 0x06) return k
    else if (code === 0x20) accumulator = word(call, k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x05) pc += k
    else if (code === 0x15) pc += jump(accumulator === k)
    else if (code === 0x25) pc += jump(accumulator > k)
    else if (code === 0x35) pc += jump(accumulator >= k)
    else if (code === 0x45) pc += jump((accumulator & k) !== 0)
    else throw new Error(`unknown instruction ${code.toString(16)} at ${pc}`)
  }
  throw new Error('the program has no end')
}
