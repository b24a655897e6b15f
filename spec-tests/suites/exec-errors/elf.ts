/** e_machine, elf(5): of a machine that this one is not. */
export const FOREIGN = process.arch === 'x64' ? { machine: 183, name: 'aarch64' } : { machine: 62, name: 'x86_64' }

const OWN_MACHINE: Readonly<Record<string, number>> = { x64: 62, arm64: 183, riscv64: 243 }

const HEADER = 64
const PROGRAM_HEADER = 56

/**
 * The least of a dynamically linked program: an ELF header with one program header, PT_INTERP, that names its loader.
 *
 * @param machine e_machine; this host's by default
 */
export const dynamicProgram = (loader: string, machine = OWN_MACHINE[process.arch] ?? 0): Buffer => {
  const name = Buffer.from(`${loader}\0`)
  const file = Buffer.alloc(HEADER + PROGRAM_HEADER + name.length)
  file.write('\x7fELF', 'latin1')
  file.set([2, 1, 1], 4) // ELFCLASS64, ELFDATA2LSB, EV_CURRENT
  file.writeUInt16LE(3, 16) // ET_DYN
  file.writeUInt16LE(machine, 18)
  file.writeUInt32LE(1, 20) // EV_CURRENT
  file.writeBigUInt64LE(BigInt(HEADER), 32) // e_phoff
  file.writeUInt16LE(HEADER, 52) // e_ehsize
  file.writeUInt16LE(PROGRAM_HEADER, 54) // e_phentsize
  file.writeUInt16LE(1, 56) // e_phnum
  file.writeUInt32LE(3, HEADER) // PT_INTERP
  file.writeUInt32LE(4, HEADER + 4) // PF_R
  file.writeBigUInt64LE(BigInt(HEADER + PROGRAM_HEADER), HEADER + 8) // p_offset
  file.writeBigUInt64LE(BigInt(name.length), HEADER + 32) // p_filesz
  name.copy(file, HEADER + PROGRAM_HEADER)
  return file
}
