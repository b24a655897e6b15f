import { describe, expect, test } from 'vitest'
import { RuncOptions, RuntimeOptions } from './messages'
import { readExit } from './monitor'
import { mountWords } from './mounts'
import { readOptions } from './options'
import { timestampOf } from './time'
import { encode } from './wire'

const toml = (text: string) => ({
  type_url: 'runtimeoptions.v1.Options',
  value: encode(RuntimeOptions, { type_url: 'containerd.runc.v1.Options', config_body: Buffer.from(text) }),
})

const runc = (options: Parameters<typeof encode<typeof RuncOptions>>[1]) => ({
  type_url: 'containerd.runc.v1.Options',
  value: encode(RuncOptions, options),
})

describe('runtime options', () => {
  test('of runc, with and without wrapping, and none', () => {
    expect(readOptions(undefined)).toMatchObject({ root: '/run/containerd/tsrunc', systemdCgroup: false })
    expect(readOptions(runc({ root: '/r', systemd_cgroup: true }))).toMatchObject({
      root: '/r',
      systemdCgroup: true,
    })
    expect(readOptions(toml('BinaryName = ""\nRoot = "/x y"\nSystemdCgroup = true\n'))).toMatchObject({
      root: '/x y',
      systemdCgroup: true,
    })
  })

  test('what cannot be done is an error', () => {
    expect(() => readOptions(runc({ shim_cgroup: '/a' }))).toThrow('ShimCgroup')
    expect(() => readOptions(runc({ binary_name: '/usr/bin/runc' }))).toThrow('BinaryName')
    expect(() => readOptions(runc({ binary_name: '/opt/tsrunc' }))).not.toThrow()
    expect(() => readOptions(toml('SystemdCgroup = "yes"'))).toThrow('systemd_cgroup: "yes" is no boolean')
    expect(() => readOptions({ type_url: 'x.Options', value: new Uint8Array() })).toThrow('x.Options')
  })
})

describe('mounts of the root', () => {
  const mount = (type: string, options: readonly string[], target = '') => ({ type, source: 's', target, options })

  test('flags, propagation and data apart', () => {
    expect(mountWords([mount('bind', ['rbind', 'ro', 'rprivate'])], '/b/rootfs')).toEqual([
      ...['', 'bind', 's', '/b/rootfs', String(4096 + 16384 + 1), String((1 << 18) + 16384), ''],
    ])
    expect(mountWords([mount('overlay', ['index=off', 'lowerdir=/a:/b'], 'in')], '/b/rootfs')).toEqual([
      ...['', 'overlay', 's', '/b/rootfs/in', '0', '0', 'index=off,lowerdir=/a:/b'],
    ])
  })

  test('many layers become relative to what they have in common', () => {
    const layers = Array.from({ length: 120 }, (_, i) => `/var/lib/containerd/snapshots/${i}/fs`)
    const words = mountWords([mount('overlay', [`lowerdir=${layers.join(':')}`, 'upperdir=/u'])], '/r')
    expect(words[0]).toBe('/var/lib/containerd/snapshots/')
    expect(words[6]).toContain('lowerdir=0/fs:1/fs:')
    expect(words[6]).toContain(',upperdir=/u')
  })

  test('what nobody here can mount is an error', () => {
    expect(() => mountWords([mount('ext4', ['loop'])], '/r')).toThrow('loop')
    expect(() => mountWords([mount('fuse3.fuse-overlayfs', [])], '/r')).toThrow('fuse')
    expect(() => mountWords([mount('bind', ['bind'], '../x')], '/r')).toThrow('leads out')
  })
})

describe('ends', () => {
  test('signals are 128 and more', () => {
    const time = '2026-01-02T03:04:05.000000006Z'
    expect(readExit(JSON.stringify({ version: 1, pid: 5, code: 3, signal: null, oom: false, time }))).toEqual({
      status: 3,
      at: time,
      oom: false,
    })
    expect(readExit(JSON.stringify({ code: null, signal: 9, oom: true, time }))).toMatchObject({
      status: 137,
      oom: true,
    })
    expect(() => readExit('{"code":null,"signal":null}')).toThrow('is no exit')
  })

  test('times have nanoseconds', () => {
    expect(timestampOf('1970-01-01T00:01:00.5Z')).toEqual({ seconds: 60n, nanos: 500_000_000 })
    expect(timestampOf('1970-01-01T00:00:01.000000007Z')).toEqual({ seconds: 1n, nanos: 7 })
    expect(() => timestampOf('yesterday')).toThrow('is no time')
  })
})
