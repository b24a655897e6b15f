import { quote } from '../../errors'
import type { Rule } from '../fault'

const SECTION = 'config-linux.md "IntelRdt"'

/** A directory in resctrl's root; "/" is the root itself, the default class. */
const closIdIsDirectoryName: Rule = {
  id: 'rdt-clos-id',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    const { closID = '' } = linux?.intelRdt ?? {}
    if (closID === '/') return
    if (closID === '.' || closID === '..' || closID.includes('/')) {
      report('/linux/intelRdt/closID', `must be the name of a directory, or "/", not ${quote(closID)}`)
    }
  },
}

const memorySchemaIsMemory: Rule = {
  id: 'rdt-memory-schema',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    const schema = linux?.intelRdt?.memBwSchema
    if (schema !== undefined && schema !== '' && (!schema.startsWith('MB:') || schema.includes('\n'))) {
      report('/linux/intelRdt/memBwSchema', 'must be one line that begins with "MB:"')
    }
  },
}

const schemataAreLines: Rule = {
  id: 'rdt-schemata',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    linux?.intelRdt?.schemata?.forEach((line, index) => {
      if (line.includes('\n')) report(`/linux/intelRdt/schemata/${index}`, 'must be one line')
    })
  },
}

export const INTEL_RDT_RULES: readonly Rule[] = [closIdIsDirectoryName, memorySchemaIsMemory, schemataAreLines]
