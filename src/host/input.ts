import { readSync } from 'node:fs'

const STDIN = 0
const CHUNK = 65536

/** All of the standard input. EAGAIN: a non-blocking pipe that is empty so far; wait for it. */
export function readIn(): Uint8Array {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.alloc(CHUNK)
    try {
      const length = readSync(STDIN, chunk)
      if (length === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, length))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EOF') return Buffer.concat(chunks)
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}
