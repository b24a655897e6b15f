import { describe, expect, test } from 'vitest'
import { defaultSpec } from './default-spec'
import { validateConfig } from './validate'

const places = (text: string) =>
  validateConfig(Buffer.from(text)).findings.map(({ rule, line, column }) => [rule, line, column])

describe('validateConfig', () => {
  test('finds nothing in what `spec` writes', () => {
    const spec = defaultSpec({ rootless: false, unifiedCgroups: false, uid: 0, gid: 0 })
    expect(validateConfig(Buffer.from(JSON.stringify(spec))).findings).toEqual([])
  })

  test('sorts by place: of a value, of a name, of the object around what is missing', () => {
    const text = `{
  "root": {},
  "ociVersion": "1.9.0",
  "unknown": 1,
  "process": {"cwd": "a", "args": ["x"], "cwd": "b"},
  "annotations": {"": "x"}
}`
    expect(places(text)).toEqual([
      ['required', 2, 11],
      ['oci-version-known', 3, 17],
      ['unknown-property', 4, 3],
      ['json-duplicate', 5, 42],
      ['cwd-absolute', 5, 49],
      ['key', 6, 19],
    ])
  })

  test('says of each fault what it is, what to do and where that is written', () => {
    const { findings } = validateConfig(
      Buffer.from('{"ociVersion": "1.0.0", "root": {"path": "r"}, "linux": {"rootfsPropagation": "Shared"}}'),
    )
    expect(findings).toEqual([
      {
        severity: 'error',
        rule: 'enum',
        pointer: '/linux/rootfsPropagation',
        line: 1,
        column: 79,
        message: expect.stringMatching(/^must be one of .*, not "Shared"$/),
        suggestion: 'did you mean "shared"?',
        section: 'config-linux.md "Rootfs Mount Propagation"',
      },
    ])
  })

  test('10,000 faults in a file of one line', () => {
    const mounts = Array.from({ length: 10_000 }, () => ({ destination: 'm', type: 5 }))
    const text = JSON.stringify({ ociVersion: '1.0.0', root: { path: 'r' }, mounts })
    expect(validateConfig(Buffer.from(text)).findings).toHaveLength(20_000)
  })
})
