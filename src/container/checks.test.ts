import { describe, expect, it } from 'vitest'
import { checkId } from './id'
import { defaultRoot } from './root'

describe('checkId', () => {
  it.each(['a', 'A-z_0.9+', '-x', '...', 'x'.repeat(255)])('takes %s', (id) => {
    expect(() => checkId(id)).not.toThrow()
  })

  it.each(['', '.', '..', 'a/b', 'a b', 'ä', 'a\n', '../a', 'a,b', 'x'.repeat(256)])('refuses %j', (id) => {
    expect(() => checkId(id)).toThrow('invalid container ID')
  })
})

describe('defaultRoot', () => {
  it("is root's own, whatever XDG_RUNTIME_DIR says", () => {
    expect(defaultRoot({ XDG_RUNTIME_DIR: '/run/user/0', USER: 'root' }, 0)).toBe('/run/tsrunc')
    expect(defaultRoot({}, 0)).toBe('/run/tsrunc')
  })

  it("is in an unprivileged caller's runtime directory", () => {
    expect(defaultRoot({ XDG_RUNTIME_DIR: '/run/user/7' }, 7)).toBe('/run/user/7/tsrunc')
    expect(defaultRoot({ XDG_RUNTIME_DIR: '' }, 7)).toBe('/run/tsrunc')
  })
})
