import { expect, test } from 'vitest'
import { phasesOf } from './phases'

const span = (pid: number, cat: string, name: string, ts: number, dur: number) => ({ ph: 'X', pid, cat, name, ts, dur })

test('a span counts without those inside of it, by process and phase', () => {
  const trace = [
    { ph: 'M', pid: 1, name: 'process_name' },
    span(1, 'launcher', 'start node', 0, 10),
    span(1, 'node', 'node', 10, 50),
    span(1, 'node', 'plan', 20, 5),
    span(1, 'cgroup', 'makeCgroup', 60, 10),
    span(1, 'cgroup', 'makeCgroup', 70, 5),
    span(1, 'verb', 'run', 0, 100),
    span(2, 'mounts', 'mountFs', 80, 7),
  ]
  const { host, init } = phasesOf(JSON.stringify(trace))
  expect(Object.fromEntries(host)).toEqual({
    launcher: 10,
    'node: the rest': 45,
    'node: plan': 5,
    cgroup: 15,
    'not in any span': 25,
  })
  expect(Object.fromEntries(init)).toEqual({ mounts: 7 })
})

test('half a trace is none', () => {
  expect(() => phasesOf('[\n{"ph":"X"}')).toThrow()
  expect(() => phasesOf('[]')).toThrow(/whole call/)
})
