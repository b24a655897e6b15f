import { writeSync } from 'node:fs'

const STDOUT = 1

/** Write all of `text` to stdout before returning. EAGAIN: a caller's non-blocking pipe is full; wait for it. */
export function printOut(text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(STDOUT, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}
