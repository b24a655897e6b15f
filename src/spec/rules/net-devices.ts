import { quote } from '../../errors'
import type { Rule } from '../fault'
import { escapeStep } from '../json'
import { hasNamespace } from './namespaces'

const SECTION = 'config-linux.md "Network Devices"'
/** IFNAMSIZ of linux/if.h is 16, with the NUL. */
const MAX_NAME_BYTES = 15

const netDevicesNeedNamespace: Rule = {
  id: 'net-device-namespace',
  section: SECTION,
  severity: 'error',
  restsOn: ['/linux/namespaces'],
  check(spec, report) {
    if (Object.keys(spec.linux?.netDevices ?? {}).length > 0 && !hasNamespace(spec, 'network')) {
      report('/linux/netDevices', 'needs a namespace of type network in /linux/namespaces')
    }
  },
}

const netDeviceNamesAreValid: Rule = {
  id: 'net-device-name',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    for (const [device, { name = '' }] of Object.entries(linux?.netDevices ?? {})) {
      const pointer = `/linux/netDevices/${escapeStep(device)}`
      if (!isDeviceName(device)) report(pointer, `is not the name of a network device`)
      if (name !== '' && !isDeviceName(name.replace(/%d$/, '00'))) {
        report(`${pointer}/name`, `must be a name for a network device, not ${quote(name)}`)
      }
    }
  },
}

/** The kernel's dev_valid_name, for a template with as many bytes as its two last ones stand for; '%' would begin a template. */
const isDeviceName = (name: string): boolean =>
  name !== '.' && name !== '..' && /^[^/:%\s]+$/.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES

/** The target name must be free in the container. */
const netDeviceNamesAreUnique: Rule = {
  id: 'net-device-unique',
  section: SECTION,
  severity: 'error',
  restsOn: ['/linux/netDevices'],
  check({ linux }, report) {
    const first = new Map<string, string>()
    for (const [device, { name = '' }] of Object.entries(linux?.netDevices ?? {})) {
      const target = name === '' ? device : name
      const pointer = `/linux/netDevices/${escapeStep(device)}`
      const earlier = first.get(target)
      if (earlier === undefined) first.set(target, pointer)
      else if (!target.endsWith('%d')) report(pointer, `would be named ${target} in the container, as ${earlier} is`)
    }
  },
}

export const NET_DEVICE_RULES: readonly Rule[] = [
  netDevicesNeedNamespace,
  netDeviceNamesAreValid,
  netDeviceNamesAreUnique,
]
