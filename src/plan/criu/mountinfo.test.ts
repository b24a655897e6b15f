import { expect, test } from 'vitest'
import { externalMounts, parseMountInfo } from './mountinfo'

const HOST = [
  '22 1 254:0 / / rw - ext4 /dev/vda rw',
  '23 22 0:5 / /dev rw - devtmpfs dev rw',
  '24 22 0:20 / /proc rw - proc proc rw',
]

const outside = (...lines: readonly string[]): readonly string[] =>
  externalMounts(parseMountInfo(lines.join('\n')), parseMountInfo(HOST.join('\n')))

const ROOT = '90 1 254:0 /bundle/rootfs / rw,relatime - ext4 /dev/vda rw'

test('lines are read, with optional fields and escaped characters', () => {
  expect(
    parseMountInfo(
      '36 35 98:0 /a\\040b /mnt\\134\\011x rw shared:1 master:2 - ext3 /dev/root rw\n\ngarbage\n1 2 3 - x',
    ),
  ).toEqual([{ id: 36, device: '98:0', root: '/a b', mountPoint: '/mnt\\\tx', fstype: 'ext3' }])
})

test('what is mounted at the host too is from outside, once for each place', () => {
  expect(
    outside(ROOT, '91 90 254:0 /data /data rw - ext4 /dev/vda rw', '92 91 254:0 /data /data rw - ext4 /dev/vda rw'),
  ).toEqual(['/data'])
  expect(outside(ROOT, '91 90 0:5 /null /proc/kcore rw - devtmpfs dev rw')).toEqual(['/proc/kcore'])
})

test('file systems of its own are not, nor is a part of the root', () => {
  expect(
    outside(
      ROOT,
      '91 90 0:49 / /proc rw - proc proc rw',
      '92 91 0:49 /sys /proc/sys ro - proc proc rw',
      '93 90 0:50 / /dev rw - tmpfs tmpfs rw',
      '94 90 254:0 /bundle/rootfs/etc /etc ro - ext4 /dev/vda rw',
    ),
  ).toEqual([])
})

test('cgroups are, and a proc of which the container has a part only', () => {
  expect(outside(ROOT, '91 90 0:30 /c /sys/fs/cgroup ro - cgroup2 cgroup rw')).toEqual(['/sys/fs/cgroup'])
  expect(outside(ROOT, '91 90 0:20 /sys /proc/sys ro - proc proc rw')).toEqual(['/proc/sys'])
})
