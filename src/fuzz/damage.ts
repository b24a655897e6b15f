/** Bytes that were right, and then something happened to them. */
import fc from 'fast-check'

/** Another byte, another order of bytes, fewer or more of them: [kind, where, what]. */
export type Damage = readonly ['flip' | 'set' | 'cut' | 'copy' | 'drop', number, number]
export const damages: fc.Arbitrary<readonly Damage[]> = fc.array(
  fc.tuple(fc.constantFrom('flip', 'set', 'cut', 'copy', 'drop'), fc.nat(), fc.nat(255)),
  { minLength: 1, maxLength: 5 },
)

/** Bytes that mean something to JSON. */
const TOKENS = Buffer.from('{}[]:,"\\/-0123456789.eEntfau \n\0\x7f\xc3\xed', 'latin1')

export function damaged(bytes: Uint8Array, changes: readonly Damage[]): Uint8Array {
  let out = Buffer.from(bytes)
  for (const [kind, where, what] of changes) {
    const at = where % Math.max(1, out.length)
    const byte = out[at] ?? 0
    if (kind === 'flip') out[at] = byte ^ (1 << (what & 7))
    else if (kind === 'set') out[at] = TOKENS[what % TOKENS.length] ?? 0
    else if (kind === 'cut') out = out.subarray(0, at)
    else if (kind === 'copy') out = Buffer.concat([out.subarray(0, at), out.subarray(Math.max(0, at - what))])
    else out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + (what & 15))])
  }
  return out
}
