import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { probeResctrl, resctrlMountPoint } from './resctrl'

const directory = mkdtempSync(join(tmpdir(), 'tsrunc-resctrl-'))
afterAll(() => rmSync(directory, { recursive: true }))

const line = (root: string, mountPoint: string, type: string): string =>
  `36 25 0:33 ${root} ${mountPoint} rw,relatime shared:9 master:1 - ${type} resctrl rw\n`

test('the mount point is that of the file system type, not of a name', () => {
  const text =
    line('/', '/sys/fs/resctrl', 'tmpfs') + line('/a', '/bound', 'resctrl') + line('/', '/a\\040b', 'resctrl')
  expect(resctrlMountPoint(text)).toBe('/a b')
  expect(resctrlMountPoint(line('/', '/sys/fs/resctrl', 'tmpfs'))).toBeUndefined()
  expect(resctrlMountPoint('')).toBeUndefined()
})

test('a group, the default class, and what is not there', () => {
  const mountinfo = join(directory, 'mountinfo')
  const root = join(directory, 'resctrl')
  mkdirSync(join(root, 'gold/mon_groups'), { recursive: true })
  writeFileSync(join(root, 'schemata'), 'L3:0=ff\n')
  writeFileSync(join(root, 'gold/schemata'), 'L3:0=0f\n')
  writeFileSync(mountinfo, line('/', root, 'resctrl'))
  expect(probeResctrl('/', mountinfo)).toEqual({ mountPoint: root, schemata: 'L3:0=ff\n' })
  expect(probeResctrl('gold', mountinfo)).toEqual({ mountPoint: root, schemata: 'L3:0=0f\n' })
  expect(probeResctrl('gold/mon_groups', mountinfo)).toEqual({ mountPoint: root, schemata: '' })
  expect(probeResctrl('silver', mountinfo)).toEqual({ mountPoint: root })
  writeFileSync(mountinfo, line('/', root, 'tmpfs'))
  expect(probeResctrl('/', mountinfo)).toBeUndefined()
})
