import { beforeEach, describe, expect, test, vi } from 'vitest'
import { PlannerMemory } from './memory'

let memory: PlannerMemory

beforeEach(() => {
  memory = new PlannerMemory()
})

describe('facts', () => {
  test('are found once for each key', () => {
    const probe = vi.fn(() => ({ version: 1 }))
    const first = memory.fact('cgroups of v1', probe)
    expect(memory.fact('cgroups of v1', probe)).toBe(first)
    expect(memory.fact('cgroups of v2', probe)).not.toBe(first)
    expect(probe).toHaveBeenCalledTimes(2)
  })

  test('are looked at again once the mount table has changed, and found again where one is another', () => {
    let value = { type: 1 }
    const found = memory.fact('type', () => ({ ...value }))
    memory.fact('swap', () => 1)
    expect(memory.look()).toBe(true)
    expect(memory.fact('type', () => ({ type: 2 }))).toBe(found)
    value = { type: 3 }
    expect(memory.look()).toBe(false)
    expect(memory.fact('type', () => ({ type: 4 }))).toEqual({ type: 4 })
    expect(memory.fact('swap', () => 5)).toBe(5)
  })

  test('that can no longer be found are others', () => {
    let fails = false
    memory.fact('swap', () => {
      if (fails) throw new Error('ENOENT')
      return 1
    })
    fails = true
    expect(memory.look()).toBe(false)
  })

  test('a probe that fails is no fact', () => {
    const failing = () =>
      memory.fact('swap', () => {
        throw new Error('EACCES')
      })
    expect(failing).toThrow('EACCES')
    expect(memory.fact('swap', () => 1)).toBe(1)
  })
})

describe('contents', () => {
  const bytes = (text: string) => Buffer.from(text)

  test('are told by their bytes and by what is made of them', () => {
    const make = vi.fn(() => ({}))
    const first = memory.content('spec', bytes('{}'), make)
    expect(memory.content('spec', bytes('{}'), make)).toBe(first)
    expect(memory.content('spec', bytes('[]'), make)).not.toBe(first)
    expect(memory.content('process', bytes('{}'), make)).not.toBe(first)
    expect(make).toHaveBeenCalledTimes(3)
  })

  test('are copied: what a request came in is used again', () => {
    const request = bytes('{}')
    const first = memory.content('spec', request, () => ({}))
    request.write('[]')
    expect(memory.content('spec', bytes('{}'), () => ({}))).toBe(first)
    expect(memory.content('spec', request, () => ({}))).not.toBe(first)
  })

  test('the one that was used last is kept longest', () => {
    const make = vi.fn(() => ({}))
    memory.content('spec', bytes('kept'), make)
    for (let i = 0; i < 200; i++) {
      memory.content('spec', bytes(`other ${i}`), make)
      memory.content('spec', bytes('kept'), make)
    }
    expect(make).toHaveBeenCalledTimes(201)
    memory.content('spec', bytes('other 0'), make)
    expect(make).toHaveBeenCalledTimes(202)
  })

  test('are few: a large one drives out the others, one that is too large is not kept', () => {
    const make = vi.fn(() => ({}))
    const large = Buffer.alloc(8 << 20)
    memory.content('spec', bytes('small'), make)
    memory.content('spec', large, make)
    memory.content('spec', large, make)
    expect(make).toHaveBeenCalledTimes(2)
    memory.content('spec', bytes('small'), make)
    memory.content('spec', Buffer.alloc((8 << 20) + 1), make)
    memory.content('spec', Buffer.alloc((8 << 20) + 1), make)
    expect(make).toHaveBeenCalledTimes(5)
  })
})
