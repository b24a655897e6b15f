import { expect, test } from 'vitest'
import { CHECKS, readBackOf, UNDO } from './read-back'

const GREATEST = (1n << 64n) - 1n

test('bytes are rounded down to pages, of whatever size they are', () => {
  expect(readBackOf('memory.max', '1000000')).toMatchObject({ check: CHECKS.number, least: 934465n, most: 1000000n })
  expect(readBackOf('memory.limit_in_bytes', '4095')).toMatchObject({ check: CHECKS.number, least: 0n, most: 4095n })
  expect(readBackOf('memory.high', '2G')).toMatchObject({ check: CHECKS.number, most: 2147483648n })
})

test.each(['max', '-1', '9223372036854775807', '18446744073709551615'])('%s bytes are no limit', (value) => {
  const { check, least, most } = readBackOf('memory.max', value)
  expect([check, most]).toEqual([CHECKS.number, GREATEST])
  // What v1 shows for no limit, with pages of 4 KiB and of 64 KiB.
  expect(least <= 9223372036854771712n && least <= 9223372036854710272n).toBe(true)
})

test('huge pages are rounded by their own size', () => {
  expect(readBackOf('hugetlb.2MB.max', '5000000')).toMatchObject({ least: 2902849n, most: 5000000n })
  expect(readBackOf('hugetlb.1GB.rsvd.limit_in_bytes', '1073741824')).toMatchObject({ least: 1n, most: 1073741824n })
})

test('numbers are exact, and those below zero are no limit', () => {
  expect(readBackOf('pids.max', '7')).toMatchObject({ check: CHECKS.number, least: 7n, most: 7n })
  expect(readBackOf('cpu.cfs_quota_us', '-1')).toMatchObject({ least: GREATEST, most: GREATEST })
  expect(readBackOf('pids.max', 'max')).toMatchObject({ least: GREATEST, most: GREATEST })
})

test('lists of CPUs are compared as the kernel prints them', () => {
  expect(readBackOf('cpuset.cpus', '1,0-2,2 7')).toMatchObject({ check: CHECKS.text, text: '0-2,7' })
  expect(readBackOf('cpuset.cpus', '\n')).toMatchObject({ check: CHECKS.text, text: '' })
  // A stride: the kernel takes it, and it is not expanded here.
  expect(readBackOf('cpuset.cpus', '0-31:1/2').check).toBe(CHECKS.none)
})

test('cpu.max: a runtime alone leaves the period', () => {
  expect(readBackOf('cpu.max', '50000 100000')).toMatchObject({ check: CHECKS.text, text: '50000 100000' })
  expect(readBackOf('cpu.max', '50000')).toMatchObject({ check: CHECKS.entry, key: '50000', undo: UNDO.whole })
})

test('lines of devices: what is no limit has no line, or is "max" in it', () => {
  expect(readBackOf('io.max', '8:0 rbps=100 wiops=max')).toMatchObject({
    check: CHECKS.entry,
    key: '8:0',
    text: 'rbps=100',
    undo: UNDO.line,
    absent: '8:0 rbps=max wbps=max riops=max wiops=max',
  })
  expect(readBackOf('io.max', '8:0 rbps=max').check).toBe(CHECKS.none)
  expect(readBackOf('io.max', '8:0 riops=4294967296').check).toBe(CHECKS.none)
  expect(readBackOf('blkio.throttle.read_bps_device', '8:0 0').check).toBe(CHECKS.none)
  // v1 keeps the lower 32 bits: such a limit is another one.
  expect(readBackOf('blkio.throttle.read_iops_device', '8:0 4294967301')).toMatchObject({ text: '4294967301' })
  expect(readBackOf('io.weight', '200')).toMatchObject({ key: 'default', text: '200' })
  expect(readBackOf('io.bfq.weight', '8:0 200')).toMatchObject({ key: '8:0', text: '200', absent: '8:0 default' })
})

test.each(['devices.allow', 'memory.reclaim', 'cgroup.kill', 'cgroup.subtree_control'])('%s is not read', (file) => {
  expect(readBackOf(file, '1')).toMatchObject({ check: CHECKS.none, undo: UNDO.none })
})

test('a file that nobody knows is not compared, but put back', () => {
  expect(readBackOf('memory.nobody_knows', '1')).toMatchObject({ check: CHECKS.none, undo: UNDO.whole })
})
