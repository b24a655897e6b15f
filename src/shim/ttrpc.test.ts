import { describe, expect, test } from 'vitest'
import { FRAME, HEADER, MOST_PAYLOAD, Pieces, readFrame, writeFrame } from './ttrpc'

const frame = { stream: 7, type: FRAME.request, flags: 1, payload: Buffer.from('hello') }

describe('frames', () => {
  test('length, stream, type and flags are in front, big-endian', () => {
    expect(writeFrame(frame).toString('hex')).toBe(`00000005000000070101${Buffer.from('hello').toString('hex')}`)
    expect(readFrame(writeFrame(frame), 0)).toEqual(frame)
  })

  test('a message that is too long is an error before it is there', () => {
    const header = Buffer.alloc(HEADER)
    header.writeUInt32BE(MOST_PAYLOAD + 1, 0)
    expect(() => readFrame(header, 0)).toThrow('4194304 are allowed')
    header.writeUInt32BE(MOST_PAYLOAD, 0)
    expect(readFrame(header, 0)).toBeUndefined()
  })

  test('pieces of any size become the same frames', () => {
    const bytes = Buffer.concat([writeFrame(frame), writeFrame({ ...frame, stream: 9, payload: Buffer.alloc(0) })])
    for (let size = 1; size <= bytes.length; size += 1) {
      const pieces = new Pieces()
      const streams: number[] = []
      for (let at = 0; at < bytes.length; at += size) {
        pieces.add(bytes.subarray(at, at + size))
        const read = (buffer: Buffer) => {
          const value = readFrame(buffer, 0)
          return value === undefined ? undefined : { value, size: HEADER + value.payload.length }
        }
        for (const { stream } of pieces.take(read)) streams.push(stream)
      }
      expect(streams).toEqual([7, 9])
    }
  })
})
