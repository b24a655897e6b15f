import { describe, expect, test } from 'vitest'
import { type IdMaps, IdmapFault, readIdmapOption } from './idmap-option'

const range = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size })

/** The example of crun(1), and a second range for gids. */
const CONTAINER: IdMaps = { uids: [range(0, 0, 1), range(1, 2, 1000)], gids: [range(0, 500, 10), range(10, 900, 10)] }

const read = (word: string): IdMaps | string => {
  const maps = readIdmapOption(word, CONTAINER)
  return maps instanceof IdmapFault ? maps.message : maps
}

describe('crun(1) "idmap mount options"', () => {
  test('triples are what user_namespaces(7) maps are made of', () => {
    expect(read('idmap=uids=0-1-10#10-11-10;gids=0-100-10')).toEqual({
      uids: [range(0, 1, 10), range(10, 11, 10)],
      gids: [range(0, 100, 10)],
    })
  })

  test('@ makes a triple relative to the user namespace of the container', () => {
    expect(read('ridmap=gids=0-100-10;uids=@1-3-10')).toEqual({ uids: [range(1, 4, 10)], gids: [range(0, 100, 10)] })
  })

  test('a relative triple across two ranges becomes two', () => {
    expect(read('idmap=uids=7-7-1;gids=@20-8-5#0-0-1')).toEqual({
      uids: [range(7, 7, 1)],
      gids: [range(20, 508, 2), range(22, 900, 3), range(0, 0, 1)],
    })
  })

  test.each([
    ['idmap=', /^"" is neither uids=… nor gids=…$/],
    ['idmap=uids', /^"uids" is neither/],
    ['idmap=constructor=1', /is neither/],
    ['idmap=uids=0-1-10', /^it has no gids/],
    ['idmap=gids=0-1-10', /^it has no uids/],
    ['idmap=uids=0-1-1;uids=0-1-1;gids=0-1-1', /^it has uids twice$/],
    ['idmap=uids=;gids=0-1-1', /^"" must be three numbers/],
    ['idmap=uids=0-1-1#;gids=0-1-1', /^"" must be three numbers/],
    ['idmap=uids=0-1;gids=0-1-1', /^"0-1" must be three numbers/],
    ['idmap=uids=0-1-2-3;gids=0-1-1', /must be three numbers/],
    ['idmap=uids=0--1-1;gids=0-1-1', /must be three numbers/],
    ['idmap=uids=0x1-1-1;gids=0-1-1', /must be three numbers/],
    ['idmap=uids=0-1-0;gids=0-1-1', /"0-1-0" has the size 0/],
    ['idmap=uids=0-4294967295-1;gids=0-1-1', /ends beyond the last id, 4294967294/],
    ['idmap=uids=99999999999-1-1;gids=0-1-1', /must be three numbers/],
    ['idmap=uids=@0-999-3;gids=0-1-1', /"@0-999-3" is relative, and not all of its ids are in \/linux\/uidMappings/],
  ])('%s is refused', (word, message) => {
    expect(read(word)).toMatch(message)
  })
})
