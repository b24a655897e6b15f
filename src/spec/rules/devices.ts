import type { Rule } from '../fault'

const SECTION = 'config-linux.md "Devices"'

const devicesHaveNumbers: Rule = {
  id: 'device-number',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    linux?.devices?.forEach((device, index) => {
      if (device.type === 'p') return
      for (const number of ['major', 'minor'] as const) {
        if (device[number] === undefined) {
          report(`/linux/devices/${index}/${number}`, `is required for type ${device.type}, but missing`)
        }
      }
    })
  },
}

/** "If a file already exists at path that does not match the requested device, the runtime MUST generate an error." */
const devicePathsAreUnique: Rule = {
  id: 'device-path',
  section: SECTION,
  severity: 'error',
  restsOn: ['/linux/devices'],
  check({ linux }, report) {
    const first = new Map<string, { readonly identity: string; readonly index: number }>()
    linux?.devices?.forEach(({ type, path, major, minor }, index) => {
      const identity = type === 'p' ? 'p' : `${type === 'u' ? 'c' : type} ${major}:${minor}`
      const earlier = first.get(path)
      if (earlier === undefined) first.set(path, { identity, index })
      else if (earlier.identity !== identity) {
        report(`/linux/devices/${index}/path`, `is ${path}, where /linux/devices/${earlier.index} puts another device`)
      }
    })
  },
}

/** "The same type, major and minor SHOULD NOT be used for multiple devices." */
const devicesAreUnique: Rule = {
  id: 'device-unique',
  section: SECTION,
  severity: 'warning',
  restsOn: ['/linux/devices'],
  check({ linux }, report) {
    const first = new Map<string, number>()
    linux?.devices?.forEach(({ type, major, minor }, index) => {
      if (type === 'p') return
      const identity = `${type} ${major}:${minor}`
      const earlier = first.get(identity)
      if (earlier === undefined) first.set(identity, index)
      else report(`/linux/devices/${index}`, `is the same device (${identity}) as /linux/devices/${earlier}`)
    })
  },
}

export const DEVICE_RULES: readonly Rule[] = [devicesHaveNumbers, devicePathsAreUnique, devicesAreUnique]
