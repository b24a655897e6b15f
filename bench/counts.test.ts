import { expect, test } from 'vitest'
import { callsOf } from './counts'

test('calls are counted once, also those that were interrupted, with the bytes of their results', () => {
  const { byName, bytes } = callsOf(
    [
      '10 openat(AT_FDCWD, "/a = 3 ", O_RDONLY|O_CLOEXEC) = 3',
      '10 read(3,  <unfinished ...>',
      '11 clone3({flags=CLONE_NEWNS}, 88) = 12',
      '10 <... read resumed>"abc", 4096)  = 3',
      '10 write(1, "abcd", 4)             = 4',
      '10 read(3, "", 4096) = -1 EAGAIN (Resource temporarily unavailable)',
      '10 +++ exited with 0 +++',
      '',
    ].join('\n'),
  )
  expect(Object.fromEntries(byName)).toEqual({ openat: 1, read: 2, clone3: 1, write: 1 })
  expect(bytes).toBe(7)
})
