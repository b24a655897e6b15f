/**
 * The last step of `npm run build:native`: the executable's variables become memory of no file, elf(5). Their segment loads
 * nothing from the file any more; what they begin with is loaded as constants behind it, and native/launcher/entry.cc, which says
 * what for, copies it. It says so to entry.cc behind a mark.
 */
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MARK = Buffer.from('tsrunc data at: ')
const X86_64 = 62
const PT_LOAD = 1
const PT_NOTE = 4
const PT_GNU_PROPERTY = 0x6474e553
const PF_W = 2
const PF_R = 4
const PAGE = 4096n

/** Elf64_Ehdr: offsets; and the size of an Elf64_Phdr. */
const E_MACHINE = 18
const E_PHOFF = 32
const E_PHNUM = 56
const HEADER_SIZE = 56
/** Where its sections are, and their number; of an Elf64_Shdr the type. */
const E_SHOFF = 40
const E_SHNUM = 60
const E_SHSTRNDX = 62
const SECTION_SIZE = 64
const SH_TYPE = 4
const SHT_SYMTAB = 2

/** Elf64_Phdr. */
interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: bigint
  readonly address: bigint
  readonly fileSize: bigint
  readonly memorySize: bigint
  readonly align: bigint
}

function headersAt(elf: Buffer): readonly number[] {
  const first = Number(elf.readBigUInt64LE(E_PHOFF))
  return Array.from({ length: elf.readUInt16LE(E_PHNUM) }, (_, index) => first + index * HEADER_SIZE)
}

function readSegment(elf: Buffer, at: number): Segment {
  return {
    type: elf.readUInt32LE(at),
    flags: elf.readUInt32LE(at + 4),
    offset: elf.readBigUInt64LE(at + 8),
    address: elf.readBigUInt64LE(at + 16),
    fileSize: elf.readBigUInt64LE(at + 32),
    memorySize: elf.readBigUInt64LE(at + 40),
    align: elf.readBigUInt64LE(at + 48),
  }
}

function writeSegment(elf: Buffer, at: number, segment: Segment): void {
  elf.writeUInt32LE(segment.type, at)
  elf.writeUInt32LE(segment.flags, at + 4)
  elf.writeBigUInt64LE(segment.offset, at + 8)
  elf.writeBigUInt64LE(segment.address, at + 16)
  elf.writeBigUInt64LE(segment.address, at + 24)
  elf.writeBigUInt64LE(segment.fileSize, at + 32)
  elf.writeBigUInt64LE(segment.memorySize, at + 40)
  elf.writeBigUInt64LE(segment.align, at + 48)
}

/** A note that only tools read: its header is given up for a segment, which has to come behind those before it in memory. The
 *  kernel reads PT_GNU_PROPERTY's. */
function spareNote(elf: Buffer, headers: readonly number[], behind: number): number {
  const segments = headers.map((at) => ({ at, ...readSegment(elf, at) }))
  const property = segments.find(({ type }) => type === PT_GNU_PROPERTY)
  const note = segments.find(({ at, type, offset }) => type === PT_NOTE && offset !== property?.offset && at > behind)
  if (note === undefined) throw new Error('no program header can be spared')
  return note.at
}

/** strip(1) and its like lay segments out by sections, and these are no longer where their segments are: without sections they
 *  refuse. Only one that was stripped already has them taken away: symbols are of a section. */
function dropSections(elf: Buffer): void {
  const first = Number(elf.readBigUInt64LE(E_SHOFF))
  for (let index = 0; index < elf.readUInt16LE(E_SHNUM); index++) {
    if (elf.readUInt32LE(first + index * SECTION_SIZE + SH_TYPE) === SHT_SYMTAB) return
  }
  elf.writeBigUInt64LE(0n, E_SHOFF)
  elf.writeUInt16LE(0, E_SHNUM)
  elf.writeUInt16LE(0, E_SHSTRNDX)
}

/** @returns the executable `elf` with variables of no file; `elf` itself where they are so already, or for a processor that
 *    entry.cc does not know.
 *  @throws Error when it is not linked as entry.cc expects it. */
export function withAnonymousData(elf: Buffer): Buffer {
  if (elf.readUInt16LE(E_MACHINE) !== X86_64) return elf
  const headers = headersAt(elf)
  const loads = headers.map((at) => ({ at, ...readSegment(elf, at) })).filter(({ type }) => type === PT_LOAD)
  const [data, ...others] = loads.filter(({ flags }) => (flags & PF_W) !== 0)
  if (data === undefined || others.length > 0) throw new Error('not one segment of variables')
  if (data.fileSize === 0n) return elf
  const mark = elf.indexOf(MARK)
  if (data.at !== loads.at(-1)?.at || mark < 0) throw new Error('variables are not last, or entry.cc is not linked')
  const out = Buffer.from(elf)
  // A segment without bytes in the file begins with a page: older kernels map the page of the file that it begins in.
  const before = data.address % PAGE
  const begin = data.address - before
  const behind = ((data.address + data.memorySize + PAGE - 1n) / PAGE) * PAGE
  const offset = data.offset - before
  const size = before + data.fileSize
  const memorySize = before + data.memorySize
  writeSegment(out, data.at, { ...data, offset, address: begin, fileSize: 0n, memorySize })
  const constants = { flags: PF_R, offset, address: behind, fileSize: size, memorySize: size, align: PAGE }
  writeSegment(out, spareNote(elf, headers, data.at), { type: PT_LOAD, ...constants })
  const told = [size, behind, begin]
  told.forEach((value, index) => {
    out.writeBigUInt64LE(value, mark + MARK.length + index * 8)
  })
  dropSections(out)
  return out
}

function main(): void {
  const file = join(__dirname, '..', 'build', 'Release', 'tsrunc')
  const before = readFileSync(file)
  const after = withAnonymousData(before)
  if (after === before) return
  // A process may run from it.
  const next = `${file}.anonymous`
  writeFileSync(next, after)
  chmodSync(next, statSync(file).mode)
  renameSync(next, file)
}

if (require.main === module) main()
