/**
 * A small assembler for eBPF (RFC 9669; Documentation/bpf/standardization/instruction-set.rst), little-endian: the
 * instructions that a device filter needs, with labels for jumps.
 */

export type Register = 0 | 1 | 2 | 3 | 4 | 5

interface Instruction {
  readonly code: number
  readonly dst: Register
  readonly src: Register
  readonly offset: number
  readonly imm: number
  /** Where a jump goes; `offset` is then made of it. */
  readonly to?: Label
}

export interface Label {
  readonly name: string
}

export type Line = Instruction | Label

/** Instruction classes, sizes and operations. */
const LDX = 0x01
const JMP = 0x05
const ALU = 0x04
const ALU64 = 0x07
const WORD = 0x00
const MEM = 0x60
const SOURCE_IMM = 0x00

const line = (code: number, dst: Register, imm: number): Instruction => ({ code, dst, src: 0, offset: 0, imm })
const jump = (operation: number, dst: Register, imm: number, to: Label): Instruction => ({
  ...line(JMP | operation | SOURCE_IMM, dst, imm),
  to,
})

export const label = (name: string): Label => ({ name })

/** dst = *(u32 *)(src + offset) */
export const loadWord = (dst: Register, src: Register, offset: number): Instruction => ({
  code: LDX | WORD | MEM,
  dst,
  src,
  offset,
  imm: 0,
})
/** dst = imm */
export const move = (dst: Register, imm: number): Instruction => line(ALU64 | 0xb0, dst, imm)
/** dst &= imm, of the lower 32 bits */
export const and32 = (dst: Register, imm: number): Instruction => line(ALU | 0x50, dst, imm)
/** dst >>= imm, of the lower 32 bits, unsigned */
export const shiftRight32 = (dst: Register, imm: number): Instruction => line(ALU | 0x70, dst, imm)
/** if dst != imm goto to */
export const jumpUnequal = (dst: Register, imm: number, to: Label): Instruction => jump(0x50, dst, imm, to)
/** if dst & imm goto to */
export const jumpIfSet = (dst: Register, imm: number, to: Label): Instruction => jump(0x40, dst, imm, to)
export const jumpAlways = (to: Label): Instruction => jump(0x00, 0, 0, to)
/** return r0 */
export const exit: Instruction = line(JMP | 0x90, 0, 0)

const INSTRUCTION_BYTES = 8

const isLabel = (item: Line): item is Label => 'name' in item

/** struct bpf_insn[]. Jumps go forward, to a label of the list. */
export function assemble(lines: readonly Line[]): Uint8Array {
  const instructions: Instruction[] = []
  const positions = new Map<Label, number>()
  for (const item of lines) {
    if (isLabel(item)) positions.set(item, instructions.length)
    else instructions.push(item)
  }
  const view = new DataView(new ArrayBuffer(instructions.length * INSTRUCTION_BYTES))
  instructions.forEach(({ code, dst, src, offset, imm, to }, index) => {
    const at = index * INSTRUCTION_BYTES
    view.setUint8(at, code)
    view.setUint8(at + 1, dst | (src << 4))
    view.setInt16(at + 2, to === undefined ? offset : distance(positions, to, index), true)
    view.setInt32(at + 4, imm, true)
  })
  return new Uint8Array(view.buffer)
}

/** A jump counts from the instruction after it. */
function distance(positions: ReadonlyMap<Label, number>, to: Label, from: number): number {
  const target = positions.get(to)
  if (target === undefined) throw new Error(`eBPF: label ${to.name} is not in the program`)
  const offset = target - from - 1
  if (offset < 0 || offset > 0x7fff) throw new Error(`eBPF: label ${to.name} is out of reach`)
  return offset
}
